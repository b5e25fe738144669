import { expect, test } from 'vitest';
import { torture } from './torture.ts';

const SEED = 20_261_121;
const KILLS = 30;

test(`${String(KILLS)} kills of gateways and PostgreSQL under load: nothing acknowledged is lost, nothing is doubled, nothing is sent without a decision`, async () => {
  const lines: string[] = [];
  const report = await torture({
    root: process.cwd(),
    seed: SEED,
    kills: KILLS,
    callers: 4,
    leaseMs: 1000,
    say: (line) => void lines.push(line),
  });
  process.stderr.write(`torture: seed ${String(SEED)}, ${JSON.stringify(report)}\n`);
  expect(report.kills).toBe(KILLS);
  // It was not idle, and some calls were really cut off in the middle.
  expect(report.acknowledged).toBeGreaterThan(KILLS);
  expect(report.unknown).toBeGreaterThan(0);
}, 600_000);
