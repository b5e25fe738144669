import { describe, expect, test } from 'vitest';
import type { Call } from '../../gateway/call.ts';
import { parseConfig } from '../../gateway/config.ts';
import { GatewayError } from '../../gateway/errors.ts';
import { createLog } from '../../gateway/log.ts';
import { createMetrics } from '../../gateway/metrics.ts';

const CONFIG = parseConfig(
  'c.yaml',
  `providers: { s: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: s, model: echo }] }]
tenants: [{ id: demo }]`,
  { env: {} },
);

const SECRET = 'alice@example.com cs_abcdefghijkl_SECRET';

/** A finished call with everything that must not get out put wherever a caller could put it. */
function finished(over: object = {}): Call {
  const call = {
    id: 'cs-00000000000070008000000000000000',
    clock: {
      stages: [
        ['auth', 0.25],
        ['policy', 1.5],
      ],
    },
    principal: { tenant: 'demo', keyId: 'abcdefghijkl', id: SECRET, claims: { email: SECRET } },
    exchange: { chat: { model: 'sandbox', stream: true }, document: { source: SECRET } },
    decided: { result: { effect: 'allow' } },
    enforced: { applied: [{ type: 'EMAIL_ADDRESS', operator: 'tokenize', count: 2 }], bodies: [{ text: SECRET }] },
    attempts: [
      { deployment: 's/echo', status: null, error: 'connect', sent: false, ms: 1 },
      { deployment: 's/echo', status: 200, error: null, sent: true, ms: 1 },
    ],
    answer: {
      deployment: { id: 's/echo', apiKey: SECRET },
      status: 200,
      usage: { input_tokens: 3, output_tokens: 4 },
      content: SECRET,
    },
    status: 'ok',
    costNusd: 12n,
    error: null,
    extra: SECRET,
    ...over,
  };
  return call as unknown as Call;
}

describe('metrics', () => {
  test('count a call by effect, stage, redaction, attempt and tokens', async () => {
    const metrics = createMetrics(CONFIG);
    metrics.call(finished());
    metrics.ledgerAppend(0.002, 'ok');
    metrics.refusal('invalid_api_key');
    metrics.streamOpened();
    const text = await metrics.expose();
    for (const line of [
      'countersign_calls_total{tenant="demo",model="sandbox",effect="allow",code="none"} 1',
      'countersign_stage_seconds_count{stage="policy"} 1',
      'countersign_redactions_total{type="EMAIL_ADDRESS",operator="tokenize"} 2',
      'countersign_upstream_attempts_total{deployment="s/echo",result="failed"} 1',
      'countersign_upstream_attempts_total{deployment="s/echo",result="2xx"} 1',
      'countersign_tokens_total{model="sandbox",direction="output"} 4',
      'countersign_refusals_total{reason="invalid_api_key"} 1',
      'countersign_open_streams 1',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).not.toContain('alice');
  });

  test('no caller can make a series: names that are not configured share one', async () => {
    const metrics = createMetrics(CONFIG);
    for (let i = 0; i < 50; i += 1) metrics.call(finished({ exchange: { chat: { model: `m${i}`, stream: false } } }));
    const series = (await metrics.expose()).split('\n').filter((line) => line.startsWith('countersign_calls_total{'));
    expect(series).toEqual(['countersign_calls_total{tenant="demo",model="other",effect="allow",code="none"} 50']);
  });

  test('tenants beyond the cap share one, and a new configuration is taken over', async () => {
    const tenants = Array.from({ length: 150 }, (_, i) => `{ id: t${i} }`).join(', ');
    const text = `providers: { s: { kind: sandbox } }\nmodels: []\ntenants: [${tenants}]`;
    const metrics = createMetrics(CONFIG);
    metrics.configure(parseConfig('c.yaml', text, { env: {} }));
    for (let i = 0; i < 150; i += 1) metrics.call(finished({ principal: { tenant: `t${i}` } }));
    const series = (await metrics.expose()).split('\n').filter((line) => line.startsWith('countersign_calls_total{'));
    expect(series).toHaveLength(101);
    expect(series.find((line) => line.includes('tenant="other"'))).toMatch(/ 50$/);
  });
});

describe('the log', () => {
  function capture(level: 'info' | 'warn' = 'info'): {
    log: ReturnType<typeof createLog>;
    lines: Record<string, unknown>[];
  } {
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
    return { log: createLog({ level, destination }), lines };
  }

  test('has one line per call, of a fixed set of fields', () => {
    const { log, lines } = capture();
    log.call(finished());
    log.call(finished({ error: new GatewayError('policy_denied', SECRET) }));
    expect(lines[0]).toMatchObject({
      event: 'call',
      tenant: 'demo',
      key: 'abcdefghijkl',
      status: 200,
      cost_nusd: '12',
      redactions: 2,
      duration_ms: 1.75,
    });
    expect(lines[1]).toMatchObject({ effect: 'stopped', code: 'policy_denied', status: 403 });
    expect(JSON.stringify(lines)).not.toMatch(/alice|SECRET/);
  });

  test('names an error by its class, code and place, never by its message', () => {
    const { log, lines } = capture();
    log.unexpected('cs-1', new TypeError(SECRET, { cause: new RangeError(SECRET) }));
    log.error('key_cache', Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' }));
    log.unexpected(null, SECRET);
    expect(lines[0]).toMatchObject({
      event: 'unexpected',
      call: 'cs-1',
      error: 'TypeError',
      cause: 'RangeError',
      at: expect.stringContaining('metrics.test.ts'),
    });
    expect(lines[1]).toMatchObject({ event: 'key_cache', error_code: 'ECONNREFUSED' });
    expect(JSON.stringify(lines)).not.toMatch(/alice|SECRET/);
  });

  test('shortens long facts and obeys its level', () => {
    const { log, lines } = capture('warn');
    log.call(finished());
    log.info('start');
    log.warn('long', { text: 'x'.repeat(1000) });
    expect(lines).toHaveLength(1);
    expect(String(lines[0]?.['text'])).toHaveLength(201);
  });
});
