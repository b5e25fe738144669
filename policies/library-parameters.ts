import { z } from 'zod';

/**
 * What a tenant may set for the shipped bundles `library` and `agents`. A section that is absent turns its rules off,
 * unless a framework of the tenant turns them on.
 */

const word = z.string().min(1).max(256);
const words = z.array(word).max(1000);
/** A name with at most one `*` for any characters. */
export const namePattern = z
  .string()
  .max(256)
  .regex(/^(?!$)[^*]*\*?[^*]*$/);
const patterns = z.array(namePattern).max(1000);
export const toolPattern = namePattern.describe('A tool, or <server>/<tool>; one * stands for any characters.');
const tools = z.array(toolPattern).max(1000);
const count = z.int().nonnegative();

const domains = ['benefits', 'credit', 'education', 'employment', 'healthcare', 'housing', 'insurance'] as const;
const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

/** Sections of the bundle `library`. */
export const libraryParameters = {
  use: z
    .strictObject({
      purpose: word.optional().describe('What the application is for, beside what a call declares.'),
      eu_risk: z
        .enum(['minimal', 'limited', 'high', 'prohibited'])
        .optional()
        .describe('Its class under the EU AI Act.'),
      channel: z.enum(['internal', 'public']).optional().describe('public: everybody may read the answers.'),
      decides: z.array(z.enum(domains)).optional().describe('Decisions about persons it prepares.'),
      review: z.enum(['person', 'none']).optional().describe('person: somebody reviews every answer before it counts.'),
    })
    .optional()
    .describe('What the tenant uses AI for. It adds to what a call says of itself and never takes away.'),
  purposes: z
    .record(word, z.strictObject({ models: patterns.describe('Models or deployments that serve it.') }))
    .optional()
    .describe('Purposes the tenant works for; a call for another purpose, or for none, is refused.'),
  special_categories: z
    .strictObject({
      types: words.optional().describe('Entity types beside the built-in ones.'),
      purposes: words.optional().describe('Purposes with a legal ground.'),
    })
    .optional()
    .describe('Special categories of personal data; also on under gdpr and hipaa.'),
  hipaa: z
    .strictObject({
      phi: z
        .enum(['every_call', 'found'])
        .optional()
        .describe('Which calls carry health information; default every_call.'),
    })
    .optional(),
  payment_cards: z
    .strictObject({
      request: z
        .enum(['redact', 'replace', 'hash', 'mask', 'deny'])
        .optional()
        .describe('Card numbers in requests under pci_dss; default mask.'),
    })
    .optional(),
  injection: z
    .strictObject({
      min_score: z.int().min(0).max(1000).optional().describe('Findings from this score on count; default 500.'),
      treatment: z.enum(['deny', 'strip_tools', 'label']).optional().describe('Default deny.'),
    })
    .optional()
    .describe('Injected instructions.'),
  oversight: z
    .strictObject({
      person: word.optional().describe('Who oversees a high-risk use.'),
      per_call: z.boolean().optional().describe('Another person approves each call.'),
      roles: words.optional().describe('Roles that may approve; absent: any.'),
    })
    .optional()
    .describe('Oversight of high-risk use under eu_ai_act.'),
  children: z
    .strictObject({
      unknown: z.enum(['child', 'adult']).optional().describe('A caller of unknown age under coppa; default child.'),
    })
    .optional(),
  hours: z
    .strictObject({
      days: z.array(z.enum(weekdays)),
      from: z.int().min(0).max(23).describe('First hour, UTC.'),
      to: z.int().min(1).max(24).describe('Hour the day ends at, UTC.'),
    })
    .optional()
    .describe('Hours in which persons may call.'),
};

/** Sections of the bundle `agents`. */
export const agentParameters = {
  tool_approval: z
    .strictObject({
      for: z.enum(['destructive', 'writes', 'all']).describe('Which tools need an approval.'),
      except: tools.optional(),
      roles: words.optional().describe('Roles that may approve; absent: any.'),
    })
    .optional(),
  tool_pinning: z.boolean().optional().describe('Only tools whose definition was reviewed are offered and called.'),
  tool_hosts: patterns.optional().describe('Hosts in the arguments of tools; *.example.com for every host below it.'),
  exfiltration: z
    .strictObject({
      sensitive: patterns.optional().describe('Taints that count; default confidential, pii*, restricted, secret*.'),
      own_hosts: patterns.optional().describe('Hosts within the organisation.'),
    })
    .optional()
    .describe('No tool that reaches the outside after something sensitive was read.'),
  execution: z.strictObject({ tools: tools.describe('Tools that run code.') }).optional(),
  payments: z
    .array(
      z.strictObject({
        tool: toolPattern,
        amount: word.describe('The argument that holds the amount.'),
        max: count.describe('Largest amount of one call.'),
        approve_from: count.optional().describe('From this amount on another person approves.'),
        scope: word.optional().describe('Budget scope the amount has to fit into.'),
      }),
    )
    .max(100)
    .optional()
    .describe('Tools that move money.'),
  loops: z
    .strictObject({
      tool_calls: count.optional().describe('Tool calls of one session.'),
      denials: count.optional().describe('Refusals after which a session is stopped.'),
      rate: z
        .strictObject({ calls: count, seconds: z.int().positive().max(86_400) })
        .optional()
        .describe('Fewer calls than this within the last seconds.'),
    })
    .optional(),
  low_budget: z
    .strictObject({
      below_ppm: z.int().min(0).max(1_000_000).describe('Part of a budget that is left, in millionths.'),
    })
    .optional()
    .describe('From when on another person approves what is spent.'),
  delegation: z
    .strictObject({
      agents: patterns.optional().describe('Agents that may act for the people of the tenant.'),
      depth: count.optional().describe('Most actors between the agent and the principal.'),
      attested: z.boolean().optional().describe('Agents have to prove what they are.'),
    })
    .optional(),
};
