import { expect, vi } from 'vitest';
import type { Role } from '../../../gateway/access/principal.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A gateway with its administrators: two who ask, two who approve. */
export class GovernedStand {
  readonly gateway: TestGateway;
  readonly #tokens: ReadonlyMap<string, string>;

  private constructor(gateway: TestGateway, tokens: ReadonlyMap<string, string>) {
    this.gateway = gateway;
    this.#tokens = tokens;
  }

  /** @param fill puts files beside the configuration before the gateway starts */
  static async start(yaml: string, fill?: (folder: string) => Promise<void>): Promise<GovernedStand> {
    const gateway = await startTestGateway(yaml, undefined, undefined, fill);
    const people: [string, Role[]][] = [
      ['author', ['policy-author']],
      ['approver', ['policy-approver']],
      ['admin', ['tenant-admin']],
      ['auditor', ['auditor']],
    ];
    const tokens = new Map<string, string>();
    for (const [name, roles] of people) {
      const { token } = await gateway.createKey({ tenant: '_deployment', name, roles });
      tokens.set(name, token);
    }
    return new GovernedStand(gateway, tokens);
  }

  async as(who: string, method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.gateway.adminUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#tokens.get(who) ?? ''}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }

  /** Asks, has it approved by somebody else, and asks again. */
  async withTwo(who: string, path: string, body: unknown): Promise<Answer> {
    const asked = await this.as(who, 'POST', path, body);
    expect(asked, JSON.stringify(asked.body)).toMatchObject({
      status: 403,
      body: { error: { code: 'approval_required' } },
    });
    const { approval } = asked.body['error'] as { approval: { id: string } };
    expect((await this.as('approver', 'POST', `/api/approvals/${approval.id}/approve`, {})).status).toBe(200);
    return this.as(who, 'POST', path, body);
  }

  async chat(body: object = {}, key = this.gateway.key): Promise<Answer & { readonly call: string }> {
    const response = await fetch(`${this.gateway.dataUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }], ...body }),
    });
    const call = response.headers.get('x-countersign-call') ?? '';
    return { status: response.status, body: (await response.json()) as Answer['body'], call };
  }

  /** Until a call ends as it should: other processes hear of a change by notification. */
  async untilChat(status: number, body: object = {}): Promise<void> {
    await vi.waitFor(async () => expect((await this.chat(body)).status).toBe(status), {
      timeout: 20_000,
      interval: 100,
    });
  }

  /** Facts of the entries of a kind in a log, oldest first. */
  async facts(kind: string, tenant = 'demo'): Promise<Record<string, unknown>[]> {
    const rows = await this.gateway.database.connectAdmin(1)<{ facts: string }[]>`
      select e.facts from ledger.entries e join ledger.logs l using (log)
      where e.kind = ${kind} and l.tenant = ${tenant} order by e.seq`;
    return rows.map(({ facts }) => JSON.parse(facts) as Record<string, unknown>);
  }

  async factsOf(call: string, kind: 'decision' | 'outcome'): Promise<Record<string, unknown>> {
    const [row] = await this.gateway.database.connectAdmin(1)<{ facts: string }[]>`
      select facts from ledger.entries where call = ${call} and kind = ${kind}`;
    return JSON.parse(row?.facts ?? '{}') as Record<string, unknown>;
  }
}
