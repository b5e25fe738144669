/** Settings of decision logs for collectors that know OPA's. */
import { z } from 'zod';
import { endpoint, secret, slug, text, whole } from './values.ts';

const pointer = z
  .string()
  .max(512)
  .regex(/^\/(?:input|result)(?:\/[^/]{1,200}){0,16}$/, { error: 'a path below /input or /result' });

export const decisionLogs = z
  .record(
    slug,
    z
      .strictObject({
        url: endpoint
          .optional()
          .describe('Service to which gzip batches are posted at `/logs`, as OPA does; TLS except on loopback.'),
        file: text('A file.', 1024).optional().describe('File to which events are appended, one JSON document a line.'),
        api_key: secret('Sent to the service as a bearer token; write it as `${NAME}`.').optional(),
        partition: text('A partition.', 64).optional().describe('Appended to the path: `/logs/<partition>`.'),
        tenants: z.array(slug).max(1000).optional().describe('Only their decisions. Absent: of all tenants.'),
        mask: z
          .array(pointer)
          .max(64)
          .default(['/input/principal/id', '/input/principal/claims'])
          .describe('What is taken out of events, by JSON pointer; each event lists what was.'),
        every_ms: whole(100, 3_600_000).default(5000).describe('From one batch to the next.'),
        batch_bytes: whole(10_000, 32 * 1024 * 1024)
          .default(1024 * 1024)
          .describe('Largest batch before compression; a larger event goes alone.'),
      })
      .refine(({ url, file }) => (url === undefined) !== (file === undefined), {
        error: 'either url or file',
      }),
  )
  .default({})
  .describe('Collectors of decision logs in the form of OPA, by a name of your choice.');
