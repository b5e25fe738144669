/**
 * The whole configuration file as one strict schema: unknown keys are refused, every key has a description, and
 * docs/configuration.md is generated from it. resolve.ts turns a parsed file into the configuration the product uses.
 */
import { z } from 'zod';
import { tenantParameters } from '../../policies/index.ts';
import { remoteAnalyzer } from './analyzer-schema.ts';
import { anchors } from './anchor-schema.ts';
import { policyBundles } from './bundle-schema.ts';
import { decisionLogs } from './decision-log-schema.ts';
import { issuer } from './issuer-schema.ts';
import { address, endpoint, modelName, secret, slug, text, usd, whole } from './values.ts';

const listen = z.strictObject({
  host: text('Address of the data listener (`/v1/*`).').default('127.0.0.1'),
  port: whole(0, 65535).default(8787).describe('Port of the data listener; 0 takes a free one.'),
  admin_host: text('Address of the admin listener (`/api/*`, `/metrics`).').default('127.0.0.1'),
  admin_port: whole(0, 65535).default(8788).describe('Port of the admin listener; 0 takes a free one.'),
  presidio_host: text('Address of the listener that serves nothing but `/presidio/*`, without keys.').default(
    '127.0.0.1',
  ),
  presidio_port: whole(0, 65535)
    .optional()
    .describe('Port of that listener, 0 for a free one. Absent: there is none; the data listener serves these routes.'),
  public_url: endpoint
    .optional()
    .describe(
      'Address of the data listener as clients reach it, for `/.well-known/authzen-configuration`. Absent: as they asked.',
    ),
  admin_hostnames: z
    .array(text('A host name.'))
    .max(32)
    .default([])
    .describe(
      'Further names under which the admin listener may be addressed; any other `Host` is refused (DNS rebinding).',
    ),
});

const database = z.strictObject({
  url: secret('PostgreSQL URL of the gateway role. Absent: an embedded PostgreSQL under `.countersign/`.').optional(),
  max_connections: whole(2, 200).default(8).describe('Connections of the pool besides the ledger writer.'),
});

const keys = z.strictObject({
  provider: z
    .enum(['file', 'env'])
    .default('file')
    .describe('Where the root key comes from. Required when `database.url` is set.'),
  path: text('File of the root key when `provider` is `file`.', 1024).default('.countersign/keys'),
  variable: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'the name of an environment variable' })
    .default('COUNTERSIGN_ROOT_KEY')
    .describe('Variable with the root key (64 hex digits) when `provider` is `env`.'),
});

const providerFacts = {
  region: text(
    'Region the provider serves from, as policies compare it. `unspecified` satisfies no region rule.',
    64,
  ).optional(),
  hosting: z
    .enum(['external', 'private', 'local'])
    .optional()
    .describe('Who runs it. Default: `local` for the sandbox and for loopback addresses, else `external`.'),
  family: text('Model family for policies. Default: the model name.', 64).optional(),
  retention_days: whole(0, 36500).optional().describe('Days the provider keeps requests. Absent: unknown.'),
  trains_on_data: z.boolean().optional().describe('Whether the provider trains on requests. Absent: unknown.'),
  tags: z.array(text('A tag.', 64)).max(32).default([]).describe('Free labels for policies.'),
};
const remoteFacts = {
  api_key: secret("The provider's API key; write it as `${NAME}`.").optional(),
  ...providerFacts,
};

const provider = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('openai').describe('An OpenAI-compatible service (OpenAI, Ollama, vLLM, …).'),
    base_url: endpoint
      .default('https://api.openai.com/v1')
      .describe('Address up to and including the version; TLS except on loopback.'),
    ...remoteFacts,
  }),
  z.strictObject({
    kind: z.literal('anthropic').describe("Anthropic's Messages API."),
    base_url: endpoint
      .default('https://api.anthropic.com')
      .describe('Address without the version; TLS except on loopback.'),
    ...remoteFacts,
  }),
  z.strictObject({
    kind: z
      .literal('sandbox')
      .describe('A deterministic local model that answers with what it received; needs no key.'),
    ...providerFacts,
  }),
]);

const model = z.strictObject({
  name: modelName.describe('Name callers ask for.'),
  strategy: z
    .enum(['fallback'])
    .default('fallback')
    .describe('How deployments are tried: in order, the next when one fails.'),
  deployments: z
    .array(
      z.strictObject({
        provider: slug.describe('Name of an entry in `providers`.'),
        model: modelName.describe("The provider's name of the model."),
        ...providerFacts,
        tags: z.array(text('A tag.', 64)).max(32).default([]).describe("Added to the provider's tags."),
      }),
    )
    .min(1)
    .max(16)
    .describe('Candidates; other keys override those of the provider for this deployment.'),
});

const budget = z
  .strictObject({
    daily_usd: usd.optional().describe('Limit per UTC day.'),
    weekly_usd: usd.optional().describe('Limit per week (from Monday, UTC).'),
    monthly_usd: usd.optional().describe('Limit per calendar month (UTC).'),
  })
  .describe('Hard spending limits as quoted decimal US dollars; absent: no limit.');

const tenant = z.strictObject({
  id: slug.describe('Identity of the tenant; it names its log and never changes.'),
  name: text('Display name. Default: the id.').optional(),
  policies: z.array(slug).min(1).max(8).default(['baseline']).describe('Policy bundles that decide, all of them.'),
  parameters: tenantParameters.prefault({}).describe('Parameters of the shipped policies (`data.tenants[id]`).'),
  models: z.array(modelName).max(1000).optional().describe('Models the tenant may use. Absent: all.'),
  region: text('Region of the tenant, for residency rules.', 64).default('unspecified'),
  frameworks: z
    .array(text('A framework.', 64))
    .max(32)
    .default([])
    .describe('Regulations that apply, as policies name them.'),
  labels: z.record(z.string().max(64), z.string().max(200)).default({}).describe('Free labels for policies.'),
  budget: budget.prefault({}),
  retention: z
    .strictObject({
      content_days: whole(1, 36_500)
        .optional()
        .describe(
          'Days after which everything but facts and hashes is erased, by whole months, and later where a policy asks for longer (`record.retention_days`). Absent: it is kept.',
        ),
      decision_days: whole(1, 36_500)
        .optional()
        .describe('The same for decisions: requests and what policies were shown. Absent: as content_days.'),
      outcome_days: whole(1, 36_500)
        .optional()
        .describe('The same for outcomes: answers and how calls ended. Absent: as content_days.'),
    })
    .prefault({})
    .describe('How long the ledger keeps what it holds encrypted about calls; legal holds go before.'),
});

const price = z.strictObject({
  provider: slug.describe('Name in `providers`.'),
  model: modelName.describe("The provider's name of the model."),
  from: z.iso.date({ error: 'a date such as 2026-11-01' }).describe('First UTC day the price applies.'),
  input_usd_per_mtok: usd.describe('US dollars per million input tokens, quoted decimal.'),
  cached_input_usd_per_mtok: usd.optional().describe('Per million cached input tokens. Absent: as input.'),
  cache_write_usd_per_mtok: usd.optional().describe('Per million tokens written to a cache. Absent: as input.'),
  output_usd_per_mtok: usd.describe('Per million output tokens.'),
  service_tier: text('Service tier the price is for. Absent: the standard tier.', 64).optional(),
});

const MIB = 1024 * 1024;

export const CONFIG_SCHEMA = z.strictObject({
  listen: listen.prefault({}).describe('Where the gateway listens.'),
  database: database.prefault({}).describe('The PostgreSQL database.'),
  keys: keys.optional().describe('The root of the key hierarchy.'),
  providers: z.record(slug, provider).describe('Services that run models, by a name of your choice.'),
  models: z.array(model).max(1000).describe('Models callers can ask for.'),
  policies: z
    .strictObject(policyBundles)
    .prefault({})
    .describe('Policy bundles besides the shipped `baseline`, `library` and `agents`.'),
  tenants: z
    .array(tenant)
    .min(1)
    .max(10_000)
    .describe('Who calls. Each tenant has a log, keys and budgets of its own.'),
  organisation: z
    .strictObject({ budget: budget.prefault({}) })
    .prefault({})
    .describe('All tenants together.'),
  redaction: z
    .strictObject({
      profile: z.enum(['strict']).default('strict').describe('Recognizer profile.'),
      presidio_recognizers: z
        .enum(['default', 'all'])
        .default('default')
        .describe('What `/presidio/*` finds: what Presidio finds by default, or all it has recognizers for.'),
      remote_analyzers: z
        .record(slug, remoteAnalyzer)
        .default({})
        .describe('Further detectors for requests, such as of names: Presidio or another service with its `/analyze`.'),
    })
    .prefault({})
    .describe('Detection of personal data and secrets.'),
  auth: z
    .strictObject({
      jwt: z
        .strictObject({ issuers: z.array(issuer).max(32).default([]).describe('Accepted token issuers.') })
        .prefault({}),
    })
    .prefault({})
    .describe('Bearer tokens besides API keys.'),
  limits: z
    .strictObject({
      body_bytes: whole(1024, 512 * MIB)
        .default(32 * MIB)
        .describe('Largest request body as sent.'),
      decompressed_bytes: whole(1024, 1024 * MIB)
        .default(64 * MIB)
        .describe('Largest request body after decompression.'),
      header_count: whole(10, 1000).default(100).describe('Most header lines of a request.'),
      header_bytes: whole(1024, 1024 * 1024)
        .default(32_768)
        .describe('Largest header block of a request.'),
      concurrent_requests: whole(1, 100_000)
        .default(1024)
        .describe('Calls in flight per process; more are answered 429.'),
      output_cap_tokens: whole(1, 10_000_000)
        .default(4096)
        .describe('Output limit set under a hard budget when the caller gave none.'),
    })
    .prefault({})
    .describe('Sizes and counts.'),
  timeouts: z
    .strictObject({
      connect_ms: whole(1, 600_000).default(5000).describe('Connecting to an upstream.'),
      first_byte_ms: whole(1, 3_600_000).default(120_000).describe('Until the first byte of an answer.'),
      idle_ms: whole(1, 3_600_000).default(60_000).describe('Silence within an answer.'),
      append_ms: whole(1, 600_000).default(5000).describe('A ledger entry becoming durable.'),
      drain_ms: whole(0, 3_600_000).default(30_000).describe('Finishing calls after a stop signal.'),
    })
    .prefault({})
    .describe('Times in milliseconds.'),
  retries: z
    .strictObject({
      max_attempts: whole(1, 10).default(3).describe('Attempts per call over all deployments, before the first byte.'),
      backoff_ms: whole(0, 60_000).default(200).describe('First pause; it doubles with each attempt.'),
    })
    .prefault({})
    .describe('Repeating a call upstream.'),
  prices: z
    .strictObject({
      overrides: z.array(price).max(10_000).default([]).describe('Prices that take precedence over the price book.'),
    })
    .prefault({})
    .describe('Prices.'),
  decision_logs: decisionLogs,
  logging: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Least severity written.'),
    })
    .prefault({})
    .describe('JSON lines on standard output; never payloads or secrets.'),
  trusted_proxies: z.array(address).max(64).default([]).describe('Peers whose `x-forwarded-for` is believed.'),
  ledger: z
    .strictObject({
      origin: z
        .string()
        .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, { error: 'a host-like name (a-z, 0-9, . and -)' })
        .default('countersign.local')
        .describe('Name of this deployment in its logs; it never changes.'),
      lease_ms: whole(1000, 600_000).default(15_000).describe('How long a silent process keeps its open calls.'),
      epoch_busy_ms: whole(100, 3_600_000).default(10_000).describe('From one epoch to the next while entries come.'),
      epoch_idle_ms: whole(100, 3_600_000).default(60_000).describe('Longest wait for an epoch after a quiet time.'),
      checkpoint_key: z
        .string()
        .min(1)
        .default('.countersign/checkpoint-key')
        .describe('File of the key that signs checkpoints; with `database.url` only the notary may read it.'),
      checkpoints: z
        .string()
        .min(1)
        .default('.countersign/checkpoints')
        .describe('Folder outside the database where the notary keeps published checkpoints.'),
      ...anchors,
    })
    .prefault({})
    .describe('The evidence ledger.'),
});

/** The file as parsed, defaults filled in. */
export type ConfigFile = z.output<typeof CONFIG_SCHEMA>;
export type ProviderFile = ConfigFile['providers'][string];
export type BudgetFile = ConfigFile['organisation']['budget'];
