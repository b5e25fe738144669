import { TortureFailure } from './patience.ts';
import { torture } from './torture.ts';

const USAGE = `Usage: npm run torture -- [--kills N] [--seed N] [--callers N]

Kills gateways and PostgreSQL with signal 9 under load and checks the evidence after each kill.
  --kills N    how often, 1 to 100000 (default 1000)
  --seed N     what happens when, 0 to 4294967295 (default: chosen by the clock, and printed)
  --callers N  calls at once, 1 to 64 (default 8)`;

const LEASE_MS = 3000;

interface Numbers {
  kills: number;
  seed: number;
  callers: number;
}

const RANGES: Readonly<Record<keyof Numbers, readonly [number, number]>> = {
  kills: [1, 100_000],
  seed: [0, 2 ** 32 - 1],
  callers: [1, 64],
};

/**
 * Runs the torture test and prints seed, kills, calls, entries and the verdict.
 *
 * @param args what follows `npm run torture --`
 * @param root folder of the project
 * @returns exit code: 0 every invariant held, 1 one did not, 2 used wrongly, 3 could not run
 */
export async function runTorture(args: readonly string[], root: string): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (args.includes('--help')) {
    say(USAGE);
    return 0;
  }
  const numbers = readNumbers(args);
  if (numbers === null) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  say(`seed ${String(numbers.seed)}, ${String(numbers.kills)} kills, ${String(numbers.callers)} callers`);
  try {
    const report = await torture({ ...numbers, leaseMs: LEASE_MS, root, say });
    for (const [name, value] of Object.entries(report)) say(`${name}: ${String(value)}`);
    say('lost 0, duplicates 0, sent without a decision 0, open calls 0, ledger consistent');
    return 0;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    say(`Repeat it with: npm run torture -- --kills ${String(numbers.kills)} --seed ${String(numbers.seed)}`);
    return error instanceof TortureFailure ? 1 : 3;
  }
}

function readNumbers(args: readonly string[]): Numbers | null {
  const numbers: Numbers = { kills: 1000, seed: Date.now() % 2 ** 32, callers: 8 };
  for (let index = 0; index < args.length; index += 2) {
    const name = args[index]?.replace(/^--/, '') as keyof Numbers;
    const value = Number(args[index + 1]);
    const range = RANGES[name];
    if (range === undefined || !Number.isSafeInteger(value) || value < range[0] || value > range[1]) return null;
    numbers[name] = value;
  }
  return numbers;
}
