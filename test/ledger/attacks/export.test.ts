import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTrust, verifyFolder } from '../../../ledger/index.ts';
import { CASES } from './cases.ts';
import type { Trust } from './cases.ts';
import { expectVerdict, prepare } from './prepared.ts';
import { openStand } from './stand.ts';
import type { Stand } from './stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.close());

const textsOf = (trust: Trust): Record<string, string> =>
  Object.fromEntries(Object.entries(trust).map(([input, file]) => [input, readFileSync(stand.file(file), 'utf8')]));

describe('attacks on an export', () => {
  test.each(CASES.map((each) => [`${String(each.attack)}: ${each.name}`, each] as const))('%s', async (_, each) => {
    const bundle = prepare(stand, each);
    expectVerdict(await verifyFolder(bundle.dir, readTrust(textsOf(each.trust))), bundle, each.expect);
  });
});

test('7: a witness that has seen the first history cosigns nothing of the second', () => {
  expect(stand.refusals.join()).toMatch(/another history|does not continue|forked|409|422/i);
});

test('what an owner could have rewritten is listed, and the first bad entry says who wrote it', async () => {
  const trust = readTrust(textsOf({ policy: 'policy' }));
  const younger = await verifyFolder(stand.dir('younger'), trust);
  expect(younger.rewritable.find(({ tenant }) => tenant === 'demo')).toMatchObject({ from: 10 + 1, to: 13 });
  const bundle = prepare(stand, { base: 'good', change: (b) => { b.rechain(b.demo, 7, (f) => (f['status'] = 'failed')); } }); // prettier-ignore
  const { firstBad } = await verifyFolder(bundle.dir, trust);
  const { wid } = JSON.parse(bundle.lines<{ header: string }>(bundle.demo, 'entries.jsonl')[6]?.header ?? '') as { wid: string }; // prettier-ignore
  expect(firstBad).toMatchObject({ seq: 6, writer: wid });
});
