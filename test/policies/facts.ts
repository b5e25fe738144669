import { createPolicyInput, policyTime } from '../../policies/index.ts';
import type { JsonValue, PolicyInput } from '../../policies/index.ts';

/** A chat request of tenant acme to an external model that no rule of the baseline objects to. */
export function requestInput(change: Partial<PolicyInput> = {}): PolicyInput {
  return createPolicyInput({
    point: 'model.request',
    call: { id: 'cs-01890a5d7c3e7b1f8a2d4e6f90123456', parent: null, run: null, turn: null },
    time: policyTime(Date.UTC(2026, 10, 21, 9, 30)),
    tenant: { id: 'acme', region: 'eu', frameworks: [], labels: {} },
    principal: { type: 'user', id: 'u1', roles: ['caller'], groups: [], claims: {}, assurance: null },
    model: {
      requested: 'gpt-4o-mini',
      provider: 'openai',
      deployment: 'openai/gpt-4o-mini',
      model: 'gpt-4o-mini',
      region: 'us',
      family: 'gpt',
      hosting: 'external',
      retention_days: 30,
      trains_on_data: false,
      tags: [],
    },
    request: {
      api: 'openai.chat',
      stream: false,
      max_tokens: null,
      messages: 2,
      bytes: 300,
      tokens_estimate: 80,
      modalities: ['text'],
      urls: [],
      digest: 'd1',
    },
    ...change,
  });
}

/** Sections of `change` replace the members they name and keep the others; lists and null replace as a whole. */
export function mergeInput(base: PolicyInput, change: Readonly<Record<string, unknown>>): PolicyInput {
  return merge(base as unknown as JsonValue, change as JsonValue) as unknown as PolicyInput;
}

function merge(base: JsonValue, change: JsonValue): JsonValue {
  if (!isObject(base) || !isObject(change)) return change;
  const merged: Record<string, JsonValue> = { ...base };
  for (const [key, value] of Object.entries(change))
    merged[key] = key in base ? merge(base[key] ?? null, value) : value;
  return merged;
}

function isObject(value: JsonValue): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
