/** Where policy bundles come from and what they are signed with: a part of `policies`. */
import { z } from 'zod';
import { SIGNATURE_ALGORITHMS } from '../../policies/index.ts';
import { endpoint, secret, slug, text, whole } from './values.ts';

const service = z.strictObject({
  url: endpoint.describe('Address of the bundle; TLS except on loopback.'),
  token: secret('Sent as a bearer token; write it as `${NAME}`. Absent: none is sent.').optional(),
  wait_s: whole(0, 600)
    .default(0)
    .describe(
      'How long the service may hold a request until there is something new (long polling); 0 asks for no wait.',
    ),
  poll_ms: whole(100, 86_400_000)
    .default(60_000)
    .describe('Longest pause between two requests; each is shortened by chance by up to half. Without long polling.'),
});

const signature = z.strictObject({
  key_id: text('Name of the key, as the signature has it.').default('global_key'),
  algorithm: z.enum(SIGNATURE_ALGORITHMS).default('RS256').describe('Algorithm of the signature.'),
  key_file: text('A file.', 1024).describe('Public key (PEM) or, for HS256 and its like, the secret.'),
  scope: text('A scope.').optional().describe('Scope the signature must have. Absent: it must have none.'),
});

export const policyBundles = {
  bundles: z
    .record(slug, text('Path of a compiled bundle: an archive (.tar.gz) or a folder.', 1024))
    .default({})
    .describe('Bundle name to archive or folder.'),
  services: z
    .record(slug, service)
    .default({})
    .describe('Bundles kept up to date from an HTTP bundle service, by name; the last good one is kept on disk.'),
  signatures: z
    .record(slug, signature)
    .default({})
    .describe('Bundle name to the key it must be signed with. Absent: its signature is not looked at.'),
};
