/** Settings of those outside who remember checkpoints: a part of `ledger`. */
import { z } from 'zod';
import { endpoint, secret, slug, text, whole } from './values.ts';

const authority = z.strictObject({
  url: endpoint.describe('Where requests are posted; TLS except on loopback.'),
  every_ms: whole(1000, 30 * 86_400_000)
    .default(3_600_000)
    .describe('From one timestamp to the next.'),
  certificates: text('A PEM file.', 1024)
    .optional()
    .describe('Certificates its answers must lead to. Absent: answers are kept unverified; auditors bring their own.'),
});

const archive = z.strictObject({
  url: endpoint.describe('Address of an S3-compatible store, without the bucket; TLS except on loopback.'),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error: 'a bucket name' })
    .describe('Bucket, made with object lock.'),
  region: text('Region that requests are signed for.', 64).default('us-east-1'),
  prefix: z
    .string()
    .regex(/^(?:[A-Za-z0-9_-]+\/){0,8}$/, { error: 'folders that end with a slash' })
    .default('')
    .describe('Before every key.'),
  access_key_id: text('Access key that may put objects and lock them.', 128),
  secret_access_key: secret('Its secret; write it as `${NAME}`.'),
  every_ms: whole(1000, 30 * 86_400_000)
    .default(3_600_000)
    .describe('From one copy to the next.'),
  lock: z
    .enum(['compliance', 'governance', 'none'])
    .default('compliance')
    .describe('Object lock of the copies; `compliance`: nobody can delete them, not even the owner of the account.'),
  lock_days: whole(1, 36_500).default(365).describe('How long they are locked.'),
});

export const anchors = {
  witnesses: text('A policy file.', 1024)
    .optional()
    .describe('Policy file (c2sp.org/tlog-policy): its witnesses with addresses cosign every checkpoint.'),
  tsa: z
    .record(slug, authority)
    .default({})
    .describe('Timestamp authorities (RFC 3161) for checkpoints, by a name of your choice.'),
  archive: archive.optional().describe('Copies of checkpoints, their anchors and the tiles of the deployment log.'),
};
