/** The kinds of single values the configuration knows, each with the text of what it expects. */
import { z } from 'zod';
import { DEPLOYMENT_TENANT } from '../access/principal.ts';
import { endpointProblem } from './endpoint.ts';

export const secret = (description: string) => z.string().min(1).max(8192).meta({ description, secret: true });
export const text = (description: string, max = 200) => z.string().min(1).max(max).describe(description);
export const whole = (min: number, max: number) => z.int().min(min).max(max);

export const slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, { error: 'a lower-case name (a-z, 0-9, -; at most 41 characters)' });
export const tenantOrDeployment = z.union([slug, z.literal(DEPLOYMENT_TENANT)], {
  error: 'a tenant id or _deployment',
});
export const modelName = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, { error: 'a model name (printable ASCII without spaces, at most 128)' });
export const usd = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,9})?$/, { error: 'an amount in US dollars as a quoted decimal such as "50" or "0.25"' });
export const endpoint = z
  .string()
  .max(2048)
  .superRefine((value, ctx) => {
    const problem = endpointProblem(value);
    if (problem !== null) ctx.addIssue({ code: 'custom', message: problem });
  });
export const address = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
  error: 'an IP address or a CIDR range',
});
