import { execFileSync } from 'node:child_process';
import type { LoadJob, LoadResult } from './load.ts';
import { median } from './statistics.ts';
import type { Check, RunningTarget } from './targets.ts';
import type { Worker } from './worker.ts';

/** One printed result. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio?: number;
  readonly against?: string;
}

/** Different requests, sent in turn: callers do not all write the same. */
const REQUESTS = 64;

/** About 250 bytes with one e-mail address: small enough that the gateway and not the copying is measured. */
function requestBody(index: number, stream: boolean): string {
  const user = `My order ${'of last week '.repeat(index % 8)}has not arrived. Please write to jane.doe${String(index)}@example.com.`;
  const messages = [
    { role: 'system', content: 'You answer questions of customers in one short sentence.' },
    { role: 'user', content: user },
  ];
  return JSON.stringify({ model: 'bench-model', messages, max_tokens: 64, ...(stream ? { stream } : {}) });
}

const BODIES = Array.from({ length: REQUESTS }, (_, index) => requestBody(index, false));
const STREAM_BODIES = Array.from({ length: REQUESTS }, (_, index) => requestBody(index, true));

/** A running target with what was sent to it, so that its own evidence can be compared. */
export interface Measured {
  readonly name: string;
  readonly target: RunningTarget;
  calls: number;
  problems: string[];
}

export interface LoadShape {
  readonly connections: number;
  readonly seconds: number;
  readonly stream?: boolean;
  readonly stages?: boolean;
}

export async function load(generator: Worker, measured: Measured, shape: LoadShape): Promise<LoadResult> {
  const { port, headers } = measured.target;
  const job: LoadJob = {
    host: '127.0.0.1',
    port,
    headers,
    bodies: shape.stream === true ? STREAM_BODIES : BODIES,
    connections: shape.connections,
    seconds: shape.seconds,
    firstToken: shape.stream ?? false,
    stages: shape.stages ?? false,
  };
  const result = await generator.ask<LoadResult>(job);
  measured.calls += result.requests;
  if (result.non2xx > 0 || result.broken > 0 || result.requests === 0) {
    measured.problems.push(
      `${result.non2xx} non-2xx, ${result.broken} broken of ${result.requests} (${result.firstProblem ?? 'no answer'})`,
    );
  }
  return result;
}

const WARM_CALLS = 8000;
const WARM_SECONDS = 20;

/** A JavaScript server is compiled while it works: every target gets the same number of calls before anything is measured. */
export async function warmUp(generator: Worker, measured: Measured): Promise<void> {
  const slice = { connections: 32, seconds: 2 };
  for (let seconds = 0; seconds < WARM_SECONDS && measured.calls < WARM_CALLS; seconds += slice.seconds) {
    await load(generator, measured, slice);
  }
}

/** Rounds over all targets at one concurrency; the order turns each round, so that a slow minute hits all alike. */
export async function compare(
  generator: Worker,
  targets: readonly Measured[],
  { connections, seconds, rounds }: { readonly connections: number; readonly seconds: number; readonly rounds: number },
): Promise<Figure[]> {
  const results = new Map(targets.map(({ name }) => [name, [] as LoadResult[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const measured of [...targets.slice(round % targets.length), ...targets.slice(0, round % targets.length)]) {
      results.get(measured.name)?.push(await load(generator, measured, { connections, seconds }));
    }
  }
  return [...results].flatMap(([name, rows]) =>
    figuresOf(`c${connections}.${name}`, rows, name === 'countersign' ? (results.get('portkey') ?? []) : []),
  );
}

function figuresOf(prefix: string, rows: readonly LoadResult[], rivals: readonly LoadResult[]): Figure[] {
  const rate = (row: LoadResult): number => row.requests / row.seconds;
  const throughput: Figure = { name: `${prefix}.rps`, value: median(rows.map(rate)), unit: 'req/s' };
  // Only figures of the same round are divided by each other.
  const ratios = rows.flatMap((row, round) => (rivals[round] === undefined ? [] : [rate(row) / rate(rivals[round])]));
  return [
    ratios.length === 0 ? throughput : { ...throughput, ratio: median(ratios), against: 'portkey' },
    { name: `${prefix}.p50`, value: median(rows.map((row) => row.p50Us)), unit: 'us' },
    { name: `${prefix}.p99`, value: median(rows.map((row) => row.p99Us)), unit: 'us' },
  ];
}

/**
 * Time to the first streamed token at one connection. Portkey is left out: version 1.15.2 answers a streamed request with
 * status 500 on Node ("immutable" headers), and its code waits 25 ms before the first chunk.
 */
export async function measureStream(
  generator: Worker,
  targets: readonly Measured[],
  seconds: number,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const measured of targets.filter(({ name }) => name !== 'portkey')) {
    const { p50Us, p99Us } = await load(generator, measured, { connections: 1, seconds, stream: true });
    figures.push({ name: `stream.${measured.name}.first_token_p50`, value: p50Us, unit: 'us' });
    figures.push({ name: `stream.${measured.name}.first_token_p99`, value: p99Us, unit: 'us' });
  }
  return figures;
}

/** Where the time goes, by the `server-timing` header: everything that was over when the headers were sent. */
export async function measureStages(generator: Worker, measured: Measured, seconds: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const connections of [1, 8, 32]) {
    const { stagesUs } = await load(generator, measured, { connections, seconds, stages: true });
    for (const [stage, value] of Object.entries(stagesUs))
      figures.push({ name: `stages.c${connections}.${stage}`, value, unit: 'us' });
  }
  return figures;
}

/** Resident memory of the gateway's own process under load at 32 connections. */
export async function measureMemory(generator: Worker, measured: Measured, seconds: number): Promise<Figure[]> {
  const { pid } = measured.target;
  if (pid === null) return [];
  await load(generator, measured, { connections: 32, seconds: Math.min(5, seconds) });
  const samples = [residentMib(pid)];
  const timer = setInterval(() => samples.push(residentMib(pid)), 1000);
  await load(generator, measured, { connections: 32, seconds });
  clearInterval(timer);
  samples.push(residentMib(pid));
  const figure = (name: string, value: number): Figure => ({
    name: `memory.${measured.name}.${name}`,
    value,
    unit: 'MiB',
  });
  return [
    figure('rss_start', samples[0] ?? 0),
    figure('rss_end', samples.at(-1) ?? 0),
    figure('rss_max', Math.max(...samples)),
  ];
}

function residentMib(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}

/** What every target has to prove, and what it can prove about itself. */
export async function checkAll(targets: readonly Measured[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { name, target, calls, problems } of targets) {
    checks.push({
      name: `${name}: every answer 2xx`,
      ok: problems.length === 0,
      found: problems[0] ?? `${calls} calls`,
    });
    for (const check of (await target.check?.(calls)) ?? []) checks.push({ ...check, name: `${name}: ${check.name}` });
  }
  return checks;
}
