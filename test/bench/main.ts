import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { countersign } from './countersign.ts';
import { aims, floorChecks } from './goals.ts';
import {
  checkAll,
  compare,
  measureMemory,
  measureStages,
  measureStream,
  warmUp,
  type Figure,
  type Measured,
} from './measure.ts';
import { probeNoise } from './noise.ts';
import { readOptions, USAGE, type BenchOptions, type Group } from './options.ts';
import { checkLine, commit, figureLine, jsonLine, machineLines, noiseFigures } from './print.ts';
import { direct, portkey, proxy, type Check, type Target } from './targets.ts';
import { startWorker, type Worker } from './worker.ts';

const TARGETS: Readonly<Record<string, Target>> = { direct, proxy, countersign, portkey };

/**
 * Runs the benchmark: figures go to standard output, progress and verdicts to standard error when `--json` is given.
 *
 * @param args what follows `npm run bench --`
 * @param root folder of the project
 * @returns exit code: 0 above the floor, 1 a check or the floor failed, 2 used wrongly, 3 could not measure
 */
export async function runBench(args: readonly string[], root: string = process.cwd()): Promise<number> {
  const options = args.includes('--help') ? USAGE : readOptions(args);
  if (typeof options === 'string') {
    (options === USAGE ? process.stdout : process.stderr).write(`${options}\n`);
    return options === USAGE ? 0 : 2;
  }
  const say = (line: string): void => void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  const before = probeNoise();
  const session = new Session(root, say);
  try {
    const calls = options.groups.some((group) => !ALONE.has(group));
    const { figures, checks } = calls ? await session.run(options) : { figures: [], checks: [] };
    if (options.groups.includes('redaction')) figures.push(...measureAlone(root, 'redaction.js'));
    if (options.groups.includes('policy')) figures.push(...measureAlone(root, 'policy.js'));
    if (options.groups.includes('ledger')) {
      const measured = measureApart('ledger.js', root, options);
      figures.push(...measured.figures);
      checks.push(...measured.checks);
    }
    if (options.groups.includes('export')) {
      const measured = measureApart('export.js', root, options);
      figures.push(...measured.figures);
      checks.push(...measured.checks);
    }
    if (options.groups.includes('replay')) {
      const measured = measureReplay(root);
      figures.push(...measured.figures);
      checks.push(...measured.checks);
    }
    if (options.groups.includes('verify')) {
      const measured = measureVerifier(root, options);
      figures.push(...measured.figures);
      checks.push(...measured.checks);
    }
    const noise = options.groups.includes('noise') ? noiseFigures(before, probeNoise()) : [];
    publish([...figures, ...noise], options, say);
    return verdict([...checks, ...floorChecks(figures)], aims(figures), say);
  } catch (error) {
    say(`Could not measure: ${error instanceof Error ? error.message : String(error)}`);
    return 3;
  } finally {
    await session.stop();
  }
}

/** Groups that need no gateway. */
const ALONE: ReadonlySet<Group> = new Set(['redaction', 'policy', 'ledger', 'replay', 'verify', 'export', 'noise']);

/** In a process of its own, so that nothing else shares its event loop. */
function measureApart(
  file: 'ledger.js' | 'export.js',
  root: string,
  { seconds, rounds, entries }: BenchOptions,
): { figures: Figure[]; checks: Check[] } {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const options = JSON.stringify({ seconds, rounds, entries });
  const result = execFileSync(process.execPath, [program, root, options], { encoding: 'utf8' });
  return JSON.parse(result) as { figures: Figure[]; checks: Check[] };
}

const REPLAYED_CALLS = 100_000;

/** In a process of its own, so that its memory is its own. */
function measureReplay(root: string): { figures: Figure[]; checks: Check[] } {
  const program = fileURLToPath(new URL('replay.js', import.meta.url));
  const result = execFileSync(process.execPath, [program, root, String(REPLAYED_CALLS)], { encoding: 'utf8' });
  return JSON.parse(result) as { figures: Figure[]; checks: Check[] };
}

/** In processes of their own: one thread each, and memory that is the verifier's alone. */
function measureVerifier(root: string, { entries }: BenchOptions): { figures: Figure[]; checks: Check[] } {
  const program = fileURLToPath(new URL('verify.js', import.meta.url));
  const result = execFileSync(process.execPath, [program, root, String(entries)], { encoding: 'utf8' });
  return JSON.parse(result) as { figures: Figure[]; checks: Check[] };
}

/** In a process of its own, so that its start and memory are its own. */
function measureAlone(root: string, file: 'redaction.js' | 'policy.js'): Figure[] {
  const program = fileURLToPath(new URL(file, import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [program, root], { encoding: 'utf8' })) as Figure[];
}

function publish(figures: readonly Figure[], { only, groups, json }: BenchOptions, say: (line: string) => void): void {
  const wanted = figures.filter(({ name }) => only === null || name === only || name.startsWith(`${only}.`));
  if (json) {
    for (const figure of wanted) process.stdout.write(`${jsonLine(figure)}\n`);
    return;
  }
  for (const group of groups) {
    say(TITLES[group]);
    for (const figure of wanted.filter(({ name }) => name.startsWith(`${group}.`))) say(figureLine(figure));
  }
}

const TITLES: Readonly<Record<Group, string>> = {
  c1: '1 connection',
  c8: '8 connections',
  c32: '32 connections',
  stream: 'First streamed token, 1 connection',
  stages: 'Countersign by stage, p50 of what was over when the headers were sent',
  memory: 'Resident memory under load, 32 connections',
  export: 'An export and its verification, one core: rate, and memory above what the process had before',
  redaction:
    'The redaction engine by itself, one core (ratios: to V8 expressions one by one; of clean to hostile text)',
  policy: 'The decision point by itself (ratio: of opa run --server over HTTP to ours)',
  ledger: 'Durable appends through the writer: 1, 8, 32 callers on one log, 32 over 100 logs, 8 under an open snapshot',
  replay: '100,000 recorded decisions, each checked, opened and decided three times',
  verify: 'Checking an export on one thread: headers, chain and tree; bodies; bodies with signatures',
  noise: 'Noise of the machine before and after the run',
};

function verdict(checks: readonly Check[], wanted: readonly Check[], say: (line: string) => void): number {
  say('Checks');
  for (const check of checks) say(checkLine(check));
  if (wanted.length > 0) say('Aims (not asserted)');
  for (const aim of wanted) say(checkLine(aim));
  return checks.every(({ ok }) => ok) ? 0 : 1;
}

/** Everything one run starts and has to stop again. */
class Session {
  readonly #root: string;
  readonly #say: (line: string) => void;
  readonly #workers: Worker[] = [];
  readonly #targets: Measured[] = [];

  constructor(root: string, say: (line: string) => void) {
    this.#root = root;
    this.#say = say;
  }

  async run(options: BenchOptions): Promise<{ figures: Figure[]; checks: Awaited<ReturnType<typeof checkAll>> }> {
    const generator = await this.#worker('load');
    const mock = await this.#worker('mock');
    await this.#start(options, (mock.ready as { port: number }).port);
    for (const line of [...machineLines(this.#targets), `  commit: ${commit(this.#root) ?? 'unknown'}`])
      this.#say(line);
    for (const measured of this.#targets) await warmUp(generator.worker, measured);
    const figures = await this.#measure(generator.worker, options);
    const checks = await checkAll(this.#targets);
    const calls = this.#targets.reduce((total, measured) => total + measured.calls, 0);
    const { requests } = await mock.worker.ask<{ requests: number }>({});
    checks.push({
      name: 'the mock answered every call once',
      ok: requests === calls,
      found: `${requests} of ${calls}`,
    });
    return { figures, checks };
  }

  async #start({ targets }: BenchOptions, mockPort: number): Promise<void> {
    for (const name of targets) {
      const target = TARGETS[name];
      if (target === undefined) continue;
      this.#say(`Starting ${name}…`);
      const running = await target.start({ root: this.#root, mockPort, say: this.#say });
      this.#targets.push({ name, target: running, calls: 0, problems: [] });
    }
  }

  async #measure(generator: Worker, { groups, seconds, rounds, memorySeconds }: BenchOptions): Promise<Figure[]> {
    const gateway = this.#targets.find(({ name }) => name === 'countersign');
    const figures: Figure[] = [];
    for (const connections of [1, 8, 32]) {
      if (!groups.some((group) => group === `c${connections}`)) continue;
      this.#say(`Measuring at ${connections}…`);
      figures.push(...(await compare(generator, this.#targets, { connections, seconds, rounds })));
    }
    if (groups.includes('stream')) figures.push(...(await measureStream(generator, this.#targets, seconds)));
    if (groups.includes('stages') && gateway !== undefined)
      figures.push(...(await measureStages(generator, gateway, seconds)));
    if (groups.includes('memory') && gateway !== undefined)
      figures.push(...(await measureMemory(generator, gateway, memorySeconds)));
    return figures;
  }

  async #worker(name: string): Promise<{ worker: Worker; ready: unknown }> {
    const started = await startWorker(name);
    this.#workers.push(started.worker);
    return started;
  }

  async stop(): Promise<void> {
    for (const { target } of this.#targets) await target.stop();
    for (const worker of this.#workers) await worker.stop();
  }
}
