import { createPolicyInput, policyTime } from '../../policies/index.ts';
import type { JsonValue, PolicyInput } from '../../policies/index.ts';
import { REQUEST_MS, requestFacts } from '../bench/request-facts.ts';

/** A chat request of tenant acme to an external model that no rule of the baseline objects to. */
export function requestInput(change: Partial<PolicyInput> = {}): PolicyInput {
  return createPolicyInput({ ...requestFacts(policyTime(REQUEST_MS)), ...change });
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
