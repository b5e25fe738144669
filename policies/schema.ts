import { z } from 'zod';
import { policyDecision } from './decision.ts';
import { policyInput } from './input.ts';
import { tenantParameters } from './parameters.ts';

/** The published JSON Schemas (draft 2020-12) by file name, as they stand in policies/schema. */
export function policySchemas(): Record<string, object> {
  return {
    'input.schema.json': z.toJSONSchema(policyInput),
    'decision.schema.json': z.toJSONSchema(policyDecision),
    'parameters.schema.json': z.toJSONSchema(tenantParameters),
  };
}
