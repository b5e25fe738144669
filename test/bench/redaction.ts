/**
 * The redaction engine by itself, on one core, in a process of its own: start, memory, megabytes a second on prose without
 * values and with one every 400 characters, beside the same expressions run one by one. Prints figures as JSON.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hostileSpeeds, slowestTexts } from './hostile-speed.ts';
import { hostileTexts } from './hostile.ts';
import type { HostileSource } from './hostile.ts';
import { prose } from './corpus.ts';

interface Engine {
  readonly createAnalyzer: () => { analyze(text: string): readonly unknown[]; readonly detectors: readonly string[] };
}

const TEXT_LENGTH = 1_000_000;
const HOSTILE_LENGTH = 100_000;
const SHOWN = 10;
const ROUNDS = 5;

/** Best of several rounds, in megabytes a second; processor time, because other processes share the machine. */
function speed(text: string, work: (text: string) => unknown): number {
  work(text);
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    work(text);
    least = Math.min(least, process.cpuUsage(before).user);
  }
  return text.length / Math.max(1, least);
}

/** Every place of every match, one expression after the other. */
function oneByOne(expressions: readonly RegExp[], text: string): number {
  let found = 0;
  for (const expression of expressions) {
    expression.lastIndex = 0;
    while (expression.exec(text) !== null) found += 1;
  }
  return found;
}

async function main(root: string): Promise<void> {
  const load = (path: string): Promise<unknown> => import(pathToFileURL(join(root, 'dist', 'redaction', path)).href);
  const rssBefore = process.memoryUsage().rss;
  const before = process.cpuUsage();
  const { createAnalyzer } = (await load('index.js')) as Engine;
  const imported = process.cpuUsage(before).user / 1000;
  const started = process.cpuUsage();
  const analyzer = createAnalyzer();
  analyzer.analyze('warm 4111 1111 1111 1111');
  const startMs = process.cpuUsage(started).user / 1000;
  const memory = (process.memoryUsage().rss - rssBefore) / 2 ** 20;
  const { STRICT } = (await load('recognizers/catalogue.js')) as { STRICT: readonly HostileSource[] };
  const expressions = STRICT.map(({ head, pattern }) => new RegExp(`${head ?? ''}${pattern}`, 'g'));
  const clean = prose(TEXT_LENGTH, 0);
  const cleanSpeed = speed(clean, (text) => analyzer.analyze(text));
  const hitSpeed = speed(prose(TEXT_LENGTH, 400), (text) => analyzer.analyze(text));
  const plainSpeed = speed(clean, (text) => oneByOne(expressions, text));
  const analyze = (text: string): readonly unknown[] => analyzer.analyze(text);
  const slowest = slowestTexts(
    analyze,
    hostileTexts(STRICT, (text) => analyze(text).length === 0),
    40,
  );
  const speeds = hostileSpeeds(analyze, slowest, prose(200_000, 0), { length: HOSTILE_LENGTH, rounds: 5, enough: 5 });
  const figures = [
    { name: 'redaction.import', value: imported, unit: 'ms' },
    { name: 'redaction.start', value: startMs, unit: 'ms' },
    { name: 'redaction.memory', value: memory, unit: 'MiB' },
    { name: 'redaction.recognizers', value: STRICT.length, unit: '' },
    { name: 'redaction.one_by_one', value: plainSpeed, unit: 'MB/s' },
    { name: 'redaction.clean', value: cleanSpeed, unit: 'MB/s', ratio: cleanSpeed / plainSpeed, against: 'one by one' },
    { name: 'redaction.hits_400', value: hitSpeed, unit: 'MB/s' },
    ...speeds.slice(0, SHOWN).map(({ name, ratio }, i) => ({
      name: i === 0 ? 'redaction.hostile_worst' : `redaction.hostile_${String(i + 1)}`,
      value: ratio,
      unit: 'x prose',
      against: name.slice(0, 60),
    })),
  ];
  process.stdout.write(JSON.stringify(figures));
}

await main(process.argv[2] ?? process.cwd());
