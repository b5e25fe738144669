/** A remote analyzer: a part of `redaction`. */
import { z } from 'zod';
import { endpoint, secret, text, whole } from './values.ts';

export const remoteAnalyzer = z.strictObject({
  url: endpoint.describe('Address to which `/analyze` is appended; TLS except on loopback.'),
  api_key: secret('Sent as a bearer token; write it as `${NAME}`. Absent: none is sent.').optional(),
  language: text('Language named in its requests.', 16).default('en'),
  entities: z.array(text('An entity type.', 64)).max(64).default([]).describe('Only these; empty: all that it finds.'),
  min_score: whole(0, 1000).default(350).describe('Least score in thousandths.'),
  timeout_ms: whole(1, 60_000).default(2000).describe('Time for one request; afterwards the detector has failed.'),
  max_chars: whole(1, 10_000_000)
    .default(200_000)
    .describe('Characters of one request it is given; for more the detector has failed.'),
});
