import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';
import type { KeyRing } from '../keyring.ts';
import { readGrants, stateOf } from './access.ts';
import type { GrantedKey } from './access.ts';
import { readEvents, textOf, utc } from './events.ts';
import type { EvidenceReport, ReportCell } from './report.ts';

/** What the deployment takes for a conflict. */
export interface DutyRules {
  /** Roles nobody holds together. */
  readonly pairs: readonly (readonly [string, string])[];
  /** Roles that take a second person. */
  readonly privileged: readonly string[];
  readonly nowMs: number;
}

/** Where one person could do what takes two: roles that exclude each other, privileges nobody else approved, own approvals. */
export async function dutiesReport(sql: postgres.Sql, keys: KeyRing, rules: DutyRules): Promise<EvidenceReport> {
  const granted = [...(await readGrants(sql, keys)).values()].filter((key) => stateOf(key, rules.nowMs) === 'active');
  const rows: ReportCell[][] = [...ofOneKey(granted, rules), ...ofOneName(granted, rules), ...alone(granted, rules)];
  for await (const { facts, detail, timeMs } of readEvents(sql, keys, DEPLOYMENT, ['approval'])) {
    const [asked, decided] = [textOf(detail['requester']), textOf(detail['decided_by'])];
    if (facts['event'] !== 'approved' || asked === null || asked !== decided) continue;
    rows.push(['own approval', textOf(facts['approval']), asked, utc(timeMs)]);
  }
  return {
    name: 'duties',
    title: 'Separation of duties: where one person could do what takes two',
    columns: ['conflict', 'what', 'who', 'since'],
    rows,
    findings: rows.map(([conflict, what, who]) => `${String(conflict)}: ${String(what)} (${who ?? 'unknown'})`),
    limits: ['One person under two names, or with a key of somebody else.', 'Roles inside the identity provider.'],
  };
}

function ofOneKey(granted: readonly GrantedKey[], { pairs }: DutyRules): ReportCell[][] {
  return granted.flatMap(({ id, roles, name, createdMs }) =>
    pairs
      .filter(([a, b]) => roles.includes(a) && roles.includes(b))
      .map(([a, b]) => ['roles of one key', `${a} and ${b} in key ${id}`, name, utc(createdMs)]),
  );
}

/** Two keys of the same name in one tenant are taken for one holder. */
function ofOneName(granted: readonly GrantedKey[], { pairs }: DutyRules): ReportCell[][] {
  const holders = new Map<string, GrantedKey[]>();
  for (const key of granted) {
    const holder = `${key.tenant}\n${key.name ?? key.id}`;
    holders.set(holder, [...(holders.get(holder) ?? []), key]);
  }
  return [...holders.values()].flatMap((held) =>
    pairs.flatMap(([a, b]) => {
      const [first, second] = [
        held.find(({ roles }) => roles.includes(a)),
        held.find(({ roles }) => roles.includes(b)),
      ];
      if (first === undefined || second === undefined || first === second) return [];
      const since = utc(Math.max(first.createdMs, second.createdMs));
      return [['roles of one holder', `${a} by key ${first.id}, ${b} by key ${second.id}`, first.name, since]];
    }),
  );
}

function alone(granted: readonly GrantedKey[], { privileged }: DutyRules): ReportCell[][] {
  return granted
    .filter(({ roles, approval }) => approval === null && roles.some((role) => privileged.includes(role)))
    .map(({ id, roles, exemption, createdBy, createdMs }) => [
      'no second person', `${roles.join(' ')} by key ${id}, ${exemption ?? 'without an approval'}`, createdBy, utc(createdMs),
    ]); // prettier-ignore
}
