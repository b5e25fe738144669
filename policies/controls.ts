import { z } from 'zod';
import { tenantParameters } from './parameters.ts';

/** policies/controls: which rule serves which clause, since when; and the packs that turn on what a top ten asks for. */

const day = z.iso.date();

const control = z
  .strictObject({
    clause: z.string().min(1),
    title: z.string().min(1),
    in_force: day,
    note: z.string().min(1).optional(),
    rules: z.array(z.string()),
    outside: z.string().min(1).optional().describe('Why no rule of a gateway can serve it.'),
  })
  .refine(({ rules, outside }) => (rules.length === 0) === (outside !== undefined), {
    message: 'rules, or the reason why there are none',
  });

/** controls.json. */
export const controlsFile = z.strictObject({
  as_of: day,
  frameworks: z.record(
    z.string().regex(/^[a-z0-9_]+$/),
    z.strictObject({
      title: z.string().min(1),
      source: z.url({ protocol: /^https$/ }),
      controls: z.record(z.string(), control),
    }),
  ),
});
export type Controls = z.infer<typeof controlsFile>;

/** packs.json: by framework, what a tenant copies into its configuration. */
export const packsFile = z.record(
  z.string(),
  z.strictObject({
    title: z.string().min(1),
    policies: z.array(z.string()),
    frameworks: z.array(z.string()),
    parameters: tenantParameters,
  }),
);
export type Packs = z.infer<typeof packsFile>;
