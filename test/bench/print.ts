import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import type { Figure, Measured } from './measure.ts';
import type { Noise } from './noise.ts';
import type { Check } from './targets.ts';

/** One JSON object a line, in the form scripts rely on. */
export function jsonLine(figure: Figure): string {
  const { name, value, unit, ratio, against } = figure;
  return JSON.stringify({
    name,
    value: round(value),
    unit,
    ...(ratio === undefined ? {} : { ratio: Math.round(ratio * 1000) / 1000 }),
    ...(against === undefined ? {} : { against }),
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export function figureLine({ name, value, unit, ratio, against }: Figure): string {
  const compared = ratio === undefined ? '' : `   ${ratio.toFixed(2)}x ${against ?? ''}`;
  return `  ${name.padEnd(42)}${round(value).toLocaleString('en-US').padStart(12)} ${unit.padEnd(5)}${compared}`.trimEnd();
}

export function checkLine({ name, ok, found }: Check): string {
  return `  ${ok ? 'ok  ' : 'MISS'} ${name}: ${found}`;
}

export function machineLines(targets: readonly Measured[]): string[] {
  const [processor] = cpus();
  const versions = targets.map(({ name, target }) => `  ${name}: ${target.version}`);
  const memory = `${(totalmem() / 2 ** 30).toFixed(1)} GiB`;
  const machine = `${cpus().length} x ${processor?.model.trim() ?? 'unknown processor'}, ${memory}, ${process.platform} ${release()}, Node ${process.versions.node}`;
  return ['Machine', `  ${machine}`, 'Targets', ...versions];
}

/** Before and after: a run is worth quoting when both are alike and p99 is near p50. */
export function noiseFigures(before: Noise, after: Noise): Figure[] {
  return [...noiseOf('noise', before), ...noiseOf('noise.after', after)];
}

function noiseOf(prefix: string, noise: Noise): Figure[] {
  return [
    { name: `${prefix}.fdatasync_p50`, value: noise.fdatasyncP50Us, unit: 'us' },
    { name: `${prefix}.spin_p50`, value: noise.spinP50Us, unit: 'us' },
    { name: `${prefix}.spin_p99`, value: noise.spinP99Us, unit: 'us' },
  ];
}

/** The commit that was measured, or null outside a clone. */
export function commit(root: string): string | null {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
