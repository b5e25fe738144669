import { join } from 'node:path';
import * as officialSdk from '@open-policy-agent/opa-wasm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPdp } from '../../policies/index.ts';
import type { JsonValue, PolicyInput } from '../../policies/index.ts';
import { requestInput } from './facts.ts';
import { startOpa } from './opa-server.ts';
import type { OpaServer } from './opa-server.ts';
import { baseline, findTools, ROOT } from './toolchain.ts';

/**
 * The same question to three engines: our host on the shipped module, opa's own interpreter on the sources, and the
 * official WebAssembly SDK on the shipped module. They have to agree on every input.
 */
const tools = await findTools();
const run = test.skipIf(tools === null);

const word = fc.constantFrom(
  'gpt-4o-mini',
  'openai/gpt-4o-mini',
  'eu',
  'us',
  'local',
  'x*',
  'gpt-*',
  '*',
  '',
  'naïve 🦊',
  'acme',
);
const words = fc.uniqueArray(word, { maxLength: 3 });
const count = fc.constantFrom(0, 1, 29, 30, 31, 100, 2 ** 31, Number.MAX_SAFE_INTEGER);
const nullable = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value);
const classification = fc.constantFrom('public', 'internal', 'confidential', 'restricted');
const kind = fc.constantFrom('pii', 'pii', 'pii', 'secret');
const operators = ['redact', 'replace', 'hash', 'surrogate', 'mask', 'tokenize', 'deny'];
const point = fc.constantFrom(
  'model.request',
  'model.request',
  'model.request',
  'model.response',
  'tool.call',
  'admin.keys.create',
  'admin.ledger.verify',
  'admin.x',
  '',
);

const input = fc.record(
  {
    point,
    principal: fc.record({
      type: fc.constant('user'),
      id: fc.constantFrom('u1', 'u2'),
      roles: fc.subarray(['caller', 'auditor', 'key-admin', 'finance', 'policy-author', 'policy-approver']),
      groups: words,
      claims: fc.dictionary(word, word, { maxKeys: 2 }),
      assurance: nullable(word),
    }),
    data: fc.record({ classification: nullable(classification), residency: words }),
    model: fc.record({
      requested: word,
      provider: word,
      deployment: word,
      model: word,
      region: word,
      family: word,
      hosting: fc.constantFrom('external', 'private', 'local'),
      retention_days: nullable(count),
      trains_on_data: nullable(fc.boolean()),
      tags: words,
    }),
    request: fc.record({
      api: word,
      stream: fc.boolean(),
      max_tokens: nullable(count),
      messages: count,
      bytes: count,
      tokens_estimate: count,
      modalities: words,
      urls: fc.array(
        fc.record({
          scheme: fc.constantFrom('https', 'http', 'ftp'),
          host: fc.constantFrom('a.example.com', 'EXAMPLE.com.', 'b', '10.0.0.1'),
          private: fc.boolean(),
        }),
        { maxLength: 2 },
      ),
      digest: fc.constantFrom('d1', 'd2'),
    }),
    findings: fc.array(
      fc.record({
        type: fc.constantFrom('EMAIL_ADDRESS', 'PHONE_NUMBER', 'JWT', 'ÄÖ'),
        kind,
        count,
        max_score: fc.integer({ min: 0, max: 1000 }),
        paths: fc.array(fc.constantFrom('/messages/0/content', '/messages/1/content', '/é'), { maxLength: 3 }),
      }),
      { maxLength: 4 },
    ),
    unscanned: fc.array(
      fc.record({
        what: fc.constantFrom('image', 'audio', 'video', 'file', 'remote_url', 'too_many', 'too_large'),
        path: word,
      }),
      { maxLength: 2 },
    ),
    approvals: fc.array(
      fc.record({
        id: word,
        by: fc.constantFrom('u1', 'u2'),
        role: word,
        binds: fc.constantFrom('d1', 'd2'),
        decision: fc.constantFrom('approved', 'denied'),
        expires_unix_ms: fc.constantFrom(0, 4e12),
        applies: fc.boolean(),
      }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['point'] },
);

// Most random inputs are denied for several reasons at once; these ask one thing.
const calmInput = fc.record({ point: fc.constant('model.request') });
const calmParameters = fc.oneof(fc.constant({}), fc.constant({ approval: { models: ['gpt-*'] } }));

const parameters = fc.record(
  {
    models: fc.oneof(words, fc.constant(['*']), fc.constant(['gpt-*', '*'])),
    regions: fc.oneof(words, fc.constant(['eu', 'us'])),
    classification,
    retention: fc.dictionary(
      classification,
      fc.record({ max_days: count, training: fc.boolean() }, { requiredKeys: [] }),
      { maxKeys: 2 },
    ),
    limits: fc.record({ max_input_tokens: count, max_output_tokens: count.filter((n) => n > 0) }, { requiredKeys: [] }),
    modalities: fc.subarray(['image', 'audio', 'file', 'too_large']),
    url_hosts: fc.subarray(['*.example.com', 'example.com', '10.0.0.1']),
    pii: fc.record(
      {
        external: fc.constantFrom(...operators),
        internal: fc.constantFrom(...operators, 'leave'),
        types: fc.dictionary(fc.constantFrom('EMAIL_ADDRESS', 'ÄÖ'), fc.constantFrom(...operators)),
      },
      { requiredKeys: [] },
    ),
    response: fc.record(
      { pii: fc.constantFrom(...operators.slice(0, 5), 'leave'), buffer: fc.boolean() },
      { requiredKeys: [] },
    ),
    strip_tools: words,
    disclose: fc.constantFrom('text', 'naïve 🦊'),
    record: fc.record(
      { content: fc.constantFrom('none', 'digest', 'redacted', 'full'), retention_days: count },
      { requiredKeys: [] },
    ),
    approval: fc.record({ models: fc.constantFrom(['*'], ['gpt-*'], ['*']) }),
  },
  { requiredKeys: [] },
);

// The SDK is CommonJS: Node finds its functions below the default export, its types say otherwise.
const { loadPolicySync } = (officialSdk as unknown as { default: typeof officialSdk }).default;

let server: OpaServer | null = null;

beforeAll(async () => {
  if (tools !== null) server = await startOpa(tools.opa, join(ROOT, 'policies/rego/baseline'));
});

afterAll(() => server?.close());

run(
  'our host, opa itself and the official SDK give the same decision',
  async () => {
    if (server === null) throw new TypeError('opa did not start');
    const { ask, put } = server;
    const bundle = await baseline();
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.record({ acme: fc.oneof(parameters, calmParameters), other: parameters }, { requiredKeys: [] }),
        fc.array(fc.oneof(input, calmInput), { minLength: 3, maxLength: 8 }),
        async (tenants, inputs) => {
          const tenantData = JSON.parse(JSON.stringify(tenants)) as Record<string, JsonValue>;
          const pdp = await createPdp({ bundles: [bundle], tenantData });
          const sdk = loadPolicySync(bundle.wasm, { initial: 5, maximum: 256 });
          sdk.setData({ tenants: tenantData });
          await put('/v1/data/tenants', tenantData);
          for (const facts of inputs) {
            const question = requestInput(JSON.parse(JSON.stringify(facts)) as Partial<PolicyInput>);
            const evaluation = pdp.evaluate(['baseline'], question);
            if (evaluation.outcome !== 'decided') throw new TypeError(`${evaluation.code}: ${evaluation.detail}`);
            const wanted = await ask('/v1/data/countersign/main/decision', JSON.stringify(question));
            expect(sdk.evaluate(question)).toEqual([{ result: wanted }]);
            expect(asSets(evaluation.decision)).toEqual(asSets(wanted));
            seen.set(evaluation.decision.effect, (seen.get(evaluation.decision.effect) ?? 0) + 1);
          }
        },
      ),
      { numRuns: 120, endOnFailure: true },
    );
    expect([...seen.keys()].toSorted()).toEqual(['allow', 'deny', 'require_approval']);
  },
  120_000,
);

/** Combining puts reasons and obligations into its own order; everything else has to be equal as it is. */
function asSets(decision: unknown): unknown {
  const { reasons, obligations, ...rest } = decision as { reasons: unknown[]; obligations: unknown[] };
  return { ...rest, reasons: texts(reasons), obligations: texts(obligations) };
}

function texts(items: readonly unknown[]): string[] {
  return items
    .map((item) => JSON.stringify(Object.entries(item as object).toSorted(([a], [b]) => (a < b ? -1 : 1))))
    .toSorted();
}
