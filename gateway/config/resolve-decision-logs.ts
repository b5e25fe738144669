import { normaliseEndpoint } from './endpoint.ts';
import type { Report } from './problem.ts';
import type { ConfigFile } from './schema.ts';
import type { DecisionLogSettings } from './types.ts';

export function resolveDecisionLogs(file: ConfigFile, report: Report): DecisionLogSettings[] {
  const known = new Set(file.tenants.map(({ id }) => id));
  return Object.entries(file.decision_logs).map(([name, settings]) => {
    for (const [index, tenant] of (settings.tenants ?? []).entries()) {
      if (known.has(tenant)) continue;
      report(['decision_logs', name, 'tenants', index], 'a configured tenant id', 'an unknown tenant');
    }
    return {
      name,
      to: destination(settings),
      tenants: settings.tenants ?? null,
      mask: settings.mask,
      everyMs: settings.every_ms,
      batchBytes: settings.batch_bytes,
    };
  });
}

function destination({
  url,
  file,
  api_key: apiKey,
  partition,
}: ConfigFile['decision_logs'][string]): DecisionLogSettings['to'] {
  if (url === undefined) return { kind: 'file', path: file ?? '' };
  const path = partition === undefined ? '/logs' : `/logs/${encodeURIComponent(partition)}`;
  return { kind: 'http', url: `${normaliseEndpoint(url)}${path}`, apiKey: apiKey ?? null };
}
