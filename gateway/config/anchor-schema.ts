/** Settings of those outside who remember checkpoints: a part of `ledger`. */
import { z } from 'zod';
import { endpoint, slug, text, whole } from './values.ts';

const authority = z.strictObject({
  url: endpoint.describe('Where requests are posted; TLS except on loopback.'),
  every_ms: whole(1000, 30 * 86_400_000)
    .default(3_600_000)
    .describe('From one timestamp to the next.'),
  certificates: text('A PEM file.', 1024)
    .optional()
    .describe('Certificates its answers must lead to. Absent: answers are kept unverified; auditors bring their own.'),
});

export const anchors = {
  witnesses: text('A policy file.', 1024)
    .optional()
    .describe('Policy file (c2sp.org/tlog-policy): its witnesses with addresses cosign every checkpoint.'),
  tsa: z
    .record(slug, authority)
    .default({})
    .describe('Timestamp authorities (RFC 3161) for checkpoints, by a name of your choice.'),
};
