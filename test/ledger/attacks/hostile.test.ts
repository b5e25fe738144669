import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportText, verifyFolder } from '../../../ledger/index.ts';
import type { VerifyReport } from '../../../ledger/index.ts';
import { run } from '../../support/program.ts';
import { HOSTILE } from './hostile.ts';
import { expectVerdict, prepare } from './prepared.ts';
import { openStand } from './stand.ts';
import type { Stand } from './stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.close());

describe('a bundle made to harm is refused or found out', () => {
  test.each(HOSTILE.map((each) => [each.name, each] as const))(
    '%s',
    async (_, { change, fits = 'digests', expect: wanted, reason }) => {
      const bundle = await prepare(stand, { base: 'good', fits, ...(change === undefined ? {} : { change }) });
      const report = await verifyFolder(bundle.dir);
      expectVerdict(report, bundle, wanted);
      expect(report.reason).toBe(reason ?? null);
      expect(reportText(report).length).toBeLessThan(100_000);
      expect(reportText(report).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
    },
  );

  const LARGE = HOSTILE.filter(({ name }) => /million|without an end|as far apart/.test(name));
  test.each(LARGE.map((each) => [each.name, each] as const))(
    'in a heap of 200 MB: %s',
    async (_, { change, fits = 'digests', expect: wanted }) => {
      const bundle = await prepare(stand, { base: 'good', fits, ...(change === undefined ? {} : { change }) });
      const env = { NODE_OPTIONS: '--max-old-space-size=200' };
      const { stdout } = await run(['ledger', 'verify', bundle.dir, '--json'], { env });
      expect((JSON.parse(stdout) as VerifyReport).verdict).toBe(wanted.verdict);
    },
  );
});
