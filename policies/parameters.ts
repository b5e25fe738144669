import { z } from 'zod';
import { OPERATORS, RECORD_CONTENTS } from './decision.ts';
import { agentParameters, libraryParameters, namePattern, toolPattern } from './library-parameters.ts';

/**
 * What a tenant may set for the shipped bundles: data.tenants[<tenant id>]. Unknown keys are refused, because a misspelt
 * restriction would otherwise silently not restrict.
 */

const pattern = z.string().min(1).max(256);
const modelPattern = namePattern.describe('A model or deployment; one * stands for any characters.');
const tokens = z.int().positive();
const classification = z.enum(['public', 'internal', 'confidential', 'restricted']);
const outbound = z.enum([...OPERATORS, 'deny']);

const terms = z.strictObject({
  max_days: z.int().nonnegative().optional().describe('Longest retention at the provider, in days.'),
  training: z.boolean().optional().describe('false: the provider must rule out training on the data.'),
});

const host = z
  .string()
  .regex(/^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/)
  .describe('A host in lower case, or *.example.com for every host below example.com.');

/** Checks one tenant's parameters; unknown keys are refused. */
export const tenantParameters = z
  .strictObject({
    models: z
      .array(modelPattern)
      .optional()
      .describe('Models or deployments the tenant may call; absent: all that are configured.'),
    regions: z.array(pattern).optional().describe('Regions a model may run in; absent: all.'),
    classification: classification.optional().describe('Of data that does not say; default internal.'),
    retention: z.partialRecord(classification, terms).optional().describe('Terms asked of external providers.'),
    limits: z.strictObject({ max_input_tokens: tokens.optional(), max_output_tokens: tokens.optional() }).optional(),
    modalities: z
      .array(z.enum(['image', 'audio', 'video', 'file', 'too_many', 'too_large', 'detector']))
      .optional()
      .describe('What may be sent although it could not be scanned; `detector`: a remote analyzer failed.'),
    url_hosts: z.array(host).optional().describe('Hosts a provider may fetch from. Private hosts stay refused.'),
    pii: z
      .strictObject({
        external: outbound.optional().describe('Personal data to external providers; default tokenize.'),
        internal: z
          .enum([...OPERATORS, 'deny', 'leave'])
          .optional()
          .describe('Personal data to private and local models; default leave.'),
        types: z.record(pattern, outbound).optional().describe('By entity type, to external providers.'),
      })
      .optional(),
    response: z
      .strictObject({
        pii: z
          .enum([...OPERATORS, 'leave'])
          .optional()
          .describe('Personal data in answers; default leave.'),
        buffer: z.boolean().optional().describe('Hold an answer back until all of it was seen.'),
      })
      .optional(),
    strip_tools: z.array(pattern).optional().describe('Tools taken out of requests.'),
    disclose: z.string().min(1).max(2048).optional().describe('Text that tells the user a machine answers.'),
    record: z
      .strictObject({
        content: z.enum(RECORD_CONTENTS).optional().describe('What the ledger keeps; default redacted.'),
        retention_days: z
          .int()
          .nonnegative()
          .optional()
          .describe('Days for which calls are kept at least: the longest time that any policy asks for holds.'),
      })
      .optional(),
    approval: z
      .strictObject({ models: z.array(modelPattern).optional().describe('Models that need an approval per call.') })
      .optional(),
    tools: z.array(toolPattern).max(1000).optional().describe('Tools that may be called; absent: none.'),
    ...libraryParameters,
    ...agentParameters,
  })
  .describe('Parameters of one tenant for the shipped policies: data.tenants[<tenant id>]');

/** One tenant's parameters: parameters.schema.json. */
export type TenantParameters = z.infer<typeof tenantParameters>;
