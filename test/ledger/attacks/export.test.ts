import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTrust, verifyFolder } from '../../../ledger/index.ts';
import { run } from '../../support/program.ts';
import { CASES } from './cases.ts';
import type { VerifyReport } from '../../../ledger/index.ts';
import type { Trust } from './cases.ts';
import { BundleEditor } from './editor.ts';
import type { Line } from './editor.ts';
import { FILE_CASES } from './file-cases.ts';
import { PAST_CASES } from './past-cases.ts';
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
  test.each(
    [...CASES, ...FILE_CASES, ...PAST_CASES].map((each) => [`${String(each.attack)}: ${each.name}`, each] as const),
  )('%s', async (_, each) => {
    const bundle = await prepare(stand, each);
    expectVerdict(
      await verifyFolder(bundle.dir, readTrust(textsOf(each.trust)), { at: each.at ?? null }),
      bundle,
      each.expect,
    );
  });
});

test('a state of the past has the head and the open calls it had then', async () => {
  const all = await verifyFolder(stand.dir('younger'));
  const lines = new BundleEditor(stand.dir('younger')).lines<Line>(all.logs.at(-1)?.log ?? '', 'entries.jsonl');
  // The last entry opened a call; so did the third but last, which the second but last closed.
  for (const [at, open] of [[13, 1], [12, 0], [11, 1], [3, 0]] as const) {
    const { status, stdout } = await run(['ledger', 'verify', stand.dir('younger'), '--at', String(at), '--json']);
    const { logs } = JSON.parse(stdout) as VerifyReport;
    expect([at, status, logs.at(-1)]).toMatchObject([at, 3, { entries: at + 1, head: lines[at]?.hash, openCalls: open }]);
  }
  expect(await run(['ledger', 'verify', '--at', '3'])).toMatchObject({ status: 2 });
  expect(await run(['ledger', 'verify', stand.dir('good'), '--at', '-3'])).toMatchObject({ status: 2 });
}); // prettier-ignore

test('7: a witness that has seen the first history cosigns nothing of the second', () => {
  expect(stand.refusals.join()).toMatch(/another history|does not continue|forked|409|422/i);
});

test('what an owner could have rewritten is listed, and the first bad entry says who wrote it', async () => {
  const trust = readTrust(textsOf({ policy: 'policy' }));
  const younger = await verifyFolder(stand.dir('younger'), trust);
  expect(younger.rewritable.find(({ tenant }) => tenant === 'demo')).toMatchObject({ from: 10 + 1, to: 13 });
  const bundle = await prepare(stand, { base: 'good', change: (b) => { b.rechain(b.demo, 7, (f) => (f['status'] = 'failed')); } }); // prettier-ignore
  const { firstBad } = await verifyFolder(bundle.dir, trust);
  const { wid } = JSON.parse(bundle.lines<{ header: string }>(bundle.demo, 'entries.jsonl')[6]?.header ?? '') as { wid: string }; // prettier-ignore
  expect(firstBad).toMatchObject({ seq: 6, writer: wid });
});
