import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { policyDecision } from '../../policies/decision.ts';
import { combineBundles, createPdp, tenantParameters } from '../../policies/index.ts';
import { policyInput } from '../../policies/input.ts';
import { mergeInput, requestInput } from './facts.ts';
import { startOpa } from './opa-server.ts';
import { findTools, required, ROOT, shipped } from './toolchain.ts';

/** Every case of test/policies/cases against the shipped bundle its file is named after, through the product's own host. */
const caseFile = z.array(
  z.strictObject({
    case: z.string(),
    tenant: tenantParameters.default({}),
    facts: z.record(z.string(), z.unknown()).default({}),
    effect: z.string(),
    reasons: z.array(z.string()).default([]),
    obligations: z.array(z.unknown()).optional(),
    message: z.string().optional(),
  }),
);

/** What each bundle asks for when a case does not say. */
const USUAL = { baseline: [{ type: 'record', content: 'redacted' }], library: [], agents: [] };

const bundleName = z.enum(['baseline', 'library', 'agents']);

const folder = join(ROOT, 'test/policies/cases');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((file) => ({
    file,
    name: bundleName.parse(file.split('.')[0]),
    cases: caseFile.parse(parse(readFileSync(join(folder, file), 'utf8'))),
  }));

describe.each(files)('$file', async ({ name, cases }) => {
  const bundle = await shipped(name);

  test.each(cases)('$case', async (one) => {
    const pdp = await createPdp({ bundles: [bundle], tenantData: { acme: z.json().parse(one.tenant) } });
    const input = mergeInput(requestInput(), one.facts);
    if (input.version === 1) expect(policyInput.safeParse(input).error).toBeUndefined();
    const evaluation = pdp.evaluate([name], input);
    if (evaluation.outcome !== 'decided') throw new TypeError(`undecided: ${evaluation.code} ${evaluation.detail}`);
    const { decision } = evaluation;
    expect(policyDecision.safeParse(decision).success).toBe(true);
    expect({
      effect: decision.effect,
      reasons: decision.reasons.map((reason) => reason.rule).toSorted(),
      obligations: inOrder(decision.obligations),
    }).toEqual({ effect: one.effect, reasons: one.reasons, obligations: inOrder(one.obligations ?? USUAL[name]) });
    if (one.message !== undefined) expect(decision.user_message).toBe(one.message);
    expect(decision.user_message === '').toBe(one.effect === 'allow');
  });
});

const tools = await findTools();

test.skipIf(tools === null).each(bundleName.options)('opa itself decides the cases of %s the same', async (name) => {
  const bundle = await shipped(name);
  const opa = await startOpa(required(tools).opa, join(ROOT, 'policies/rego', name));
  try {
    for (const one of files.filter((file) => file.name === name).flatMap(({ cases }) => cases)) {
      const tenantData = { acme: z.json().parse(one.tenant) };
      const pdp = await createPdp({ bundles: [bundle], tenantData });
      const input = mergeInput(requestInput(), one.facts);
      await opa.put('/v1/data/tenants', tenantData);
      const wanted = policyDecision.parse(await opa.ask('/v1/data/countersign/main/decision', JSON.stringify(input)));
      expect(pdp.evaluate([name], input), one.case).toMatchObject({ decision: combineBundles([wanted]) });
    }
  } finally {
    opa.close();
  }
});

function inOrder(items: readonly unknown[]): string[] {
  return items.map((item) => JSON.stringify(sorted(item))).toSorted();
}

function sorted(item: unknown): unknown {
  return typeof item === 'object' && item !== null
    ? Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1))
    : item;
}
