import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CASES } from './cases.ts';
import { ATTACKS } from './corpus.ts';
import { HOSTILE } from './hostile.ts';

test('all 29 attacks are performed somewhere', () => {
  expect(ATTACKS.map(({ attack }) => attack)).toEqual(Array.from({ length: 29 }, (_, index) => index + 1));
});

test.each(ATTACKS)('$attack: $title', ({ attack, tests }) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const place of tests) {
    if (place === 'hostile') expect(HOSTILE.length).toBeGreaterThan(10);
    else if (place === 'export') expect(CASES.filter((each) => each.attack === attack).length).toBeGreaterThan(0);
    else {
      const [file, name] = place;
      expect(existsSync(file), file).toBe(true);
      expect(readFileSync(file, 'utf8'), file).toContain(name);
    }
  }
});
