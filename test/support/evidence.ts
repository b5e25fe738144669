import { newCall, decisionItem, outcomeItem, type LedgerFixture } from './ledger.ts';
import { closeEpoch, type TestNotary } from './notary.ts';
import type { AppendItem } from '../../ledger/index.ts';

export const NASTY = '=HYPERLINK("http://evil.test")<script>alert(1)</script>';

export const NEIGHBOUR = 'secretive-neighbour';

/** An event of the deployment or of a tenant. */
export function eventItem(kind: AppendItem['kind'], facts: object, change: Partial<AppendItem> = {}): AppendItem {
  return {
    tenant: '_deployment',
    kind,
    class: 'event',
    call: newCall(),
    subject: null,
    sections: { facts: { ...facts } as AppendItem['sections'][string], detail: { by: 'cli:test' } },
    ...change,
  };
}

/** Appends a call that was answered. */
export async function answeredCall(
  { ledger }: LedgerFixture,
  tenant: string,
  facts: Readonly<Record<string, string>> = {},
): Promise<string> {
  const call = newCall();
  const decision = decisionItem(call, { tenant });
  await ledger.append({
    ...decision,
    sections: { ...decision.sections, facts: { effect: 'allow', rules: [], ...facts } },
  });
  await ledger.append({
    ...outcomeItem(call, 1_500_000_000n, { tenant }),
    sections: {
      facts: {
        status: 'ok',
        model: 'small',
        deployment: 'small-eu',
        provider: 'openai',
        http_status: 200,
        finish_reason: 'stop',
        usage: { input_tokens: 12, output_tokens: 30 },
        unpriced: false,
      },
      outcome: { request_id: `req-${call}` },
    },
  });
  return call;
}

/** Appends a call that was not allowed. */
export async function refusedCall({ ledger }: LedgerFixture, tenant: string, rule: string): Promise<string> {
  const call = newCall();
  const decision = decisionItem(call, { tenant, open: false });
  const facts = { effect: 'deny', code: 'policy_denied', model: NASTY, rules: [rule] };
  await ledger.append({ ...decision, sections: { ...decision.sections, facts } });
  return call;
}

/**
 * A small history with something of everything. The demo tenant has 26 entries: ten answered calls, four refused ones, one open, and
 * an export that was asked for; three epochs bind 12, 22 and 25 of them. Another tenant lives beside it.
 */
export async function seedHistory(fixture: LedgerFixture, notary: TestNotary): Promise<void> {
  const { ledger } = fixture;
  await ledger.append(eventItem('start', { build: 'test', config: 'c1', wid: ledger.wid }));
  await ledger.append(eventItem('key', { action: 'create', key: 'k1', tenant: 'demo', roles: ['auditor'] }));
  await ledger.append(eventItem('key', { action: 'create', key: 'k2', tenant: NEIGHBOUR, roles: ['caller'] }));
  for (let index = 0; index < 6; index += 1) await answeredCall(fixture, 'demo');
  await answeredCall(fixture, NEIGHBOUR);
  await closeEpoch(fixture, notary);
  for (let index = 0; index < 3; index += 1) await answeredCall(fixture, 'demo');
  for (const rule of ['pii.refused', 'secrets.outbound', 'models.allow_list', 'pii.refused'])
    await refusedCall(fixture, 'demo', rule);
  await closeEpoch(fixture, notary);
  await answeredCall(fixture, 'demo');
  await ledger.append(eventItem('export', { action: 'asked', export: 'e1' }, { tenant: 'demo' }));
  await closeEpoch(fixture, notary);
  await ledger.append(decisionItem(newCall()));
}
