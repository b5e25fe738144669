import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createPdp } from '../../policies/index.ts';
import { policyInput } from '../../policies/input.ts';
import { readControls, readPacks } from '../../policies/library-page.ts';
import { mergeInput, requestInput } from './facts.ts';
import { ROOT, shipped } from './toolchain.ts';

/** The packs of policies/controls/packs.json, with every shipped bundle behind the product's own host. */
const risks = z.record(
  z.string(),
  z.record(z.string(), z.strictObject({ facts: z.record(z.string(), z.unknown()), rule: z.string() })),
);
const calls = risks.parse(parse(readFileSync(join(ROOT, 'test/policies/packs.yaml'), 'utf8')));
const packs = readPacks(ROOT);
const { frameworks } = readControls(ROOT);
const bundles = await Promise.all(['baseline', 'library', 'agents'].map(shipped));

test('every pack has calls', () => {
  expect(Object.keys(calls)).toEqual(Object.keys(packs));
});

describe.each(Object.entries(packs))('%s', (name, pack) => {
  const controls = frameworks[name]?.controls ?? {};

  test('has a call for each risk a gateway sees', () => {
    const seen = Object.entries(controls).flatMap(([id, { outside }]) => (outside === undefined ? [id] : []));
    expect(Object.keys(calls[name] ?? {}).map((risk) => `${name}:${risk}`)).toEqual(seen);
  });

  test.each(Object.entries(calls[name] ?? {}))('%s', async (risk, { facts, rule }) => {
    const pdp = await createPdp({ bundles, tenantData: { acme: z.json().parse(pack.parameters) } });
    const plain = requestInput({
      tenant: { id: 'acme', region: null, frameworks: pack.frameworks, labels: {} },
    });
    const harmless = pdp.evaluate(pack.policies, plain);
    expect(harmless).toMatchObject({ outcome: 'decided', decision: { effect: 'allow' } });
    const input = mergeInput(plain, facts);
    expect(policyInput.safeParse(input).error).toBeUndefined();
    const evaluation = pdp.evaluate(pack.policies, input);
    if (evaluation.outcome !== 'decided') throw new TypeError(`${evaluation.code}: ${evaluation.detail}`);
    expect(evaluation.decision.effect).not.toBe('allow');
    expect(evaluation.decision.reasons.map((reason) => reason.rule)).toContain(rule);
    expect(controls[`${name}:${risk}`]?.rules).toContain(rule);
  });
});
