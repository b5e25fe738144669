import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decisionItem, newCall, openTestLedger, TEST_ROOT_KEY } from '../../support/ledger.ts';
import { createDatabase } from '../../support/postgres.ts';
import { databaseConfig, run } from '../../support/program.ts';

const ENTRIES = 16_000;
const BATCH = 1000;
/** The verb itself needs half of it; the entries of the log alone, held together, would need more than all of it. */
const HEAP_MB = 64;

test('an export, and checking it, need no more memory for a larger log', async () => {
  const database = await createDatabase();
  const { ledger } = await openTestLedger(database, { appendTimeoutMs: 60_000, origin: 'countersign.test' });
  const facts = { effect: 'allow', model: 'small', rules: [], padding: 'x'.repeat(4000) };
  for (let done = 0; done < ENTRIES; done += BATCH) {
    const item = (): ReturnType<typeof decisionItem> =>
      decisionItem(newCall(), { subject: null, open: false, sections: { facts } });
    await Promise.all(Array.from({ length: BATCH }, () => ledger.append(item())));
  }
  await ledger.close();
  const folder = mkdtempSync(join(tmpdir(), 'memory-'));
  const config = databaseConfig(folder, database.url('gateway'));
  const out = join(folder, 'out');
  // Whatever a clone has to install or compile first needs more.
  await run(['ledger', 'controls', '--json']);
  const env = {
    COUNTERSIGN_ROOT_KEY: TEST_ROOT_KEY.toString('hex'),
    NODE_OPTIONS: `--max-old-space-size=${String(HEAP_MB)}`,
  };
  const answer = await run(['ledger', 'export', '--tenant', 'demo', '--out', out, '--json', '--config', config], {
    env,
  });
  expect([answer.status, answer.stderr]).toEqual([0, '']);
  // Every entry, its signature, the views made again, every digest.
  const checked = await run(['ledger', 'verify', out, '--json'], { env });
  expect([checked.status, checked.stderr]).toEqual([3, '']);
  expect(JSON.parse(checked.stdout)).toMatchObject({ consistent: true, folder: { strangers: [], more: 0 } });
  const { log, entries, manifest } = JSON.parse(answer.stdout) as { log: string; entries: number; manifest: string };
  expect(entries).toBe(ENTRIES);
  expect(statSync(join(out, 'logs', log, 'entries.jsonl')).size).toBeGreaterThan(HEAP_MB * 2 ** 20 * 0.9);
  expect(JSON.parse(readFileSync(join(out, 'completeness.json'), 'utf8'))).toMatchObject({
    kinds: { decision: ENTRIES },
  });
  // What was handed out stands in the log: asked before it was read, and by its digest afterwards.
  const sql = database.connectAdmin(1);
  const told = await sql<{ facts: string }[]>`
    select facts from ledger.entries where log = ${log} and kind = 'export' order by seq`;
  expect(told.map((entry) => JSON.parse(entry.facts) as unknown)).toMatchObject([
    { action: 'asked', first: 0, last: ENTRIES - 1, disclose: 'all' },
    { action: 'written', entries: ENTRIES, manifest },
  ]);
  await sql.end();
  rmSync(folder, { recursive: true });
  await database.drop();
}, 300_000);
