import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, type Config } from '../../../gateway/config.ts';
import { policySources, recordedCall } from '../../../gateway/recorded.ts';
import { readRecorded } from '../../../ledger/index.ts';
import { replayCalls, type RecordedCall } from '../../../policies/index.ts';
import type { BundleChange, NotDone, ReplayedRange, ReplayPart } from '../../../policies/reviewing.ts';
import { withDatabase } from '../../database.ts';
import { CliError } from '../../errors.ts';
import { recordReading, withKeyDesk, type KeyDesk } from '../../key-desk.ts';
import type { VerbContext } from '../../verb.ts';

/** Recorded calls of this project's ledger, replayed with what its policy store keeps. */

export interface HistoryOptions {
  /** Null: every tenant of the configuration. */
  readonly tenant: string | null;
  readonly fromMs: number;
  readonly toMs: number;
  readonly onFlip: NonNullable<Parameters<typeof replayCalls>[0]['onFlip']>;
}

/** Says why when there is no ledger to read; whatever else goes wrong is thrown. */
export async function replayHistory(
  context: VerbContext,
  options: HistoryOptions,
  change: BundleChange,
): Promise<ReplayPart | NotDone> {
  try {
    const config = context.project.config();
    if (config.database.url === null && !existsSync(join(context.project.stateDir, 'postgres'))) {
      return { notDone: 'there is no ledger here yet (no database.url, and no embedded database was started)' };
    }
    return await withDatabase(context, config, (database) =>
      withKeyDesk(context, config, database, (desk) => replayAll(config, desk, options, change)),
    );
  } catch (error) {
    const known = error instanceof ConfigError || (error instanceof CliError && REASONS.has(error.code));
    if (!known) throw error;
    return { notDone: error.message };
  }
}

const REASONS: ReadonlySet<string> = new Set(['database_unreachable', 'not_migrated', 'config_invalid']);

async function replayAll(
  config: Config,
  desk: KeyDesk,
  { tenant, fromMs, toMs, onFlip }: HistoryOptions,
  change: BundleChange,
): Promise<ReplayPart> {
  const { sql, keys } = desk;
  const ranges: ReplayedRange[] = [];
  const tenants = tenant === null ? [...config.tenants.keys()] : [tenant];
  for (const id of tenants) await recordReading(desk, id, 'policy.review');
  const read = async function* (): AsyncGenerator<RecordedCall> {
    for (const id of tenants) {
      const onRange = ({ problem, ...range }: Parameters<Parameters<typeof readRecorded>[2]['onRange']>[0]): void => {
        ranges.push({ ...range, problem: problem?.problem ?? null });
      };
      for await (const call of readRecorded(sql, keys, { tenant: id, fromMs, toMs, onRange })) yield recordedCall(call);
    }
  };
  const report = await replayCalls({ calls: read(), sources: policySources(sql), change, onFlip });
  return { ...report, fromMs, toMs, ranges };
}
