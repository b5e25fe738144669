import { parseArgs } from 'node:util';

export const GROUPS = [
  'c1',
  'c8',
  'c32',
  'stream',
  'stages',
  'memory',
  'redaction',
  'policy',
  'ledger',
  'replay',
  'verify',
  'export',
  'noise',
] as const;
export type Group = (typeof GROUPS)[number];

export const TARGETS = ['direct', 'proxy', 'countersign', 'portkey'] as const;
export type TargetName = (typeof TARGETS)[number];

const MAX_ENTRIES = 100_000_000;

export interface BenchOptions {
  /** What is measured; all of it unless `--only` names one group, or one figure of a group. */
  readonly groups: readonly Group[];
  /** Only figures whose name starts so are printed; null: all. */
  readonly only: string | null;
  readonly targets: readonly TargetName[];
  readonly json: boolean;
  /** Length of one measurement. */
  readonly seconds: number;
  readonly rounds: number;
  readonly memorySeconds: number;
  /** Length of the ledger's long run; 0: none. With `verify` the length of the bundle; 0: 200,000. */
  readonly entries: number;
}

export const USAGE = `Usage: npm run bench -- [options]

Measures, in one run on one mock with no delay: the mock itself (direct), a plain proxy, Countersign with everything on and
@portkey-ai/gateway with nothing on.

  --only NAME          one group (${GROUPS.join(', ')}) or one figure, for example c8.countersign
  --targets A,B        some of ${TARGETS.join(', ')}
  --seconds N          length of one measurement (3)
  --rounds N           alternating rounds (3)
  --memory-seconds N   length of the memory run (60)
  --entries N          with the ledger: a log that grows to N entries, the last tenth beside the first (none);
                       with verify: an export of N entries (200,000)
                       with the export: how many it writes and verifies (50000)
  --json               one JSON object a line: {name, value, unit, ratio?, against?}

Exit: 0 measured and above the floor, 1 a check or the floor failed, 2 used wrongly, 3 could not measure.
`;

/** @returns the options, or what is wrong with the arguments */
export function readOptions(args: readonly string[]): BenchOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        targets: { type: 'string' },
        seconds: { type: 'string', default: '3' },
        rounds: { type: 'string', default: '3' },
        'memory-seconds': { type: 'string', default: '60' },
        entries: { type: 'string', default: '0' },
        json: { type: 'boolean', default: false },
      },
    });
    const only = values.only ?? null;
    const groups = GROUPS.filter((group) => only === null || only === group || only.startsWith(`${group}.`));
    if (groups.length === 0) return `--only: expected a name that starts with ${GROUPS.join(', ')}; found "${only}"`;
    const asked = values.targets?.split(',') ?? TARGETS;
    const targets = TARGETS.filter((target) => asked.includes(target));
    if (targets.length !== asked.length)
      return `--targets: expected some of ${TARGETS.join(', ')}; found "${values.targets}"`;
    const numbers = [values.seconds, values.rounds, values['memory-seconds']].map(Number);
    if (numbers.some((number) => !(number > 0 && number <= 3600)))
      return '--seconds, --rounds, --memory-seconds: expected numbers from 0 to 3600';
    const entries = Number(values.entries);
    if (!Number.isSafeInteger(entries) || entries < 0 || entries > MAX_ENTRIES || entries % 10 > 0)
      return `--entries: expected a multiple of 10 up to ${MAX_ENTRIES}; found "${values.entries}"`;
    const [seconds = 3, rounds = 3, memorySeconds = 60] = numbers;
    return { groups, only, targets, json: values.json, seconds, rounds: Math.ceil(rounds), memorySeconds, entries };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
