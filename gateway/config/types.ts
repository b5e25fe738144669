/** The configuration as the product uses it: validated, defaults applied, references resolved, units in the names. */
import type { PriceOverride } from '../../costs/index.ts';
import type { SignatureKey } from '../../policies/index.ts';
import type { Role } from '../access/principal.ts';
import type { Deployment } from '../upstream/upstream.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Hard limits in nano-USD; null = none. */
export interface BudgetLimits {
  readonly dailyNusd: bigint | null;
  readonly weeklyNusd: bigint | null;
  readonly monthlyNusd: bigint | null;
}

export interface ModelRoute {
  readonly name: string;
  readonly strategy: 'fallback';
  /** Candidates in the order they are tried. */
  readonly deployments: readonly Deployment[];
}

export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly policies: readonly string[];
  readonly parameters: Readonly<Record<string, JsonValue>>;
  /** Names in the model table; null = all. */
  readonly models: readonly string[] | null;
  readonly region: string;
  readonly frameworks: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly budget: BudgetLimits;
  /** Null: kept for ever. */
  readonly retention: { readonly decisionDays: number | null; readonly outcomeDays: number | null };
}

export interface JwtIssuer {
  readonly name: string;
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly jwksUri: string | null;
  readonly algorithms: readonly string[];
  readonly clockToleranceS: number;
  readonly maxAgeS: number;
  /** Either a fixed tenant or the path of the claim that names it. */
  readonly tenant:
    { readonly fixed: string } | { readonly claim: string; readonly map: ReadonlyMap<string, string> | null };
  readonly subjectClaim: string;
  readonly type: 'user' | 'service';
  readonly rolesClaim: string | null;
  readonly roleMap: ReadonlyMap<string, readonly Role[]>;
  readonly defaultRoles: readonly Role[];
  readonly groupsClaim: string | null;
  readonly agentClaim: string | null;
  readonly claims: readonly string[];
}

/** A service with Presidio's `/analyze` that is asked about every request. */
export interface RemoteAnalyzerSettings {
  readonly name: string;
  /** Without `/analyze`. */
  readonly url: string;
  readonly apiKey: string | null;
  readonly language: string;
  /** Empty: all. */
  readonly entities: readonly string[];
  /** 0 to 1000. */
  readonly minScore: number;
  readonly timeoutMs: number;
  readonly maxChars: number;
}

/** A timestamp authority (RFC 3161). */
export interface TimestampAuthoritySettings {
  readonly name: string;
  readonly url: string;
  readonly everyMs: number;
  /** PEM file; null: what it answers is not verified here. */
  readonly certificates: string | null;
}

/** A collector of decision logs in OPA's form: a service or a file. */
export interface DecisionLogSettings {
  readonly name: string;
  readonly to:
    | { readonly kind: 'http'; readonly url: string; readonly apiKey: string | null }
    | { readonly kind: 'file'; readonly path: string };
  /** Null: all. */
  readonly tenants: readonly string[] | null;
  /** JSON pointers below /input and /result. */
  readonly mask: readonly string[];
  readonly everyMs: number;
  readonly batchBytes: number;
}

/** An S3-compatible store for copies of checkpoints. */
export interface ArchiveSettings {
  readonly url: string;
  readonly bucket: string;
  readonly region: string;
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly everyMs: number;
  readonly lock: 'compliance' | 'governance' | 'none';
  readonly lockDays: number;
}

export interface Config {
  readonly listen: {
    readonly host: string;
    readonly port: number;
    readonly adminHost: string;
    readonly adminPort: number;
    readonly adminHostnames: readonly string[];
    /** Null: as clients ask. */
    readonly publicUrl: string | null;
    readonly presidioHost: string;
    /** Null: no listener of its own. */
    readonly presidioPort: number | null;
  };
  /** url null = embedded PostgreSQL. */
  readonly database: { readonly url: string | null; readonly maxConnections: number };
  readonly keys: { readonly provider: 'file' | 'env'; readonly path: string; readonly variable: string };
  readonly deployments: ReadonlyMap<string, Deployment>;
  readonly models: ReadonlyMap<string, ModelRoute>;
  readonly tenants: ReadonlyMap<string, Tenant>;
  /** Bundle name to archive or folder, without the shipped ones; of a service the copy that is kept. */
  readonly bundles: ReadonlyMap<string, string>;
  readonly bundleServices: readonly BundleService[];
  /** By bundle name; `keyFile` is a path of the configuration. */
  readonly bundleSignatures: ReadonlyMap<string, BundleSignature>;
  readonly organisation: { readonly budget: BudgetLimits };
  readonly redaction: {
    readonly profile: 'strict';
    readonly presidioRecognizers: 'default' | 'all';
    readonly remoteAnalyzers: readonly RemoteAnalyzerSettings[];
  };
  readonly issuers: readonly JwtIssuer[];
  readonly limits: {
    readonly bodyBytes: number;
    readonly decompressedBytes: number;
    readonly headerCount: number;
    readonly headerBytes: number;
    readonly concurrentRequests: number;
    readonly outputCapTokens: number;
  };
  readonly timeouts: {
    readonly connectMs: number;
    readonly firstByteMs: number;
    readonly idleMs: number;
    readonly appendMs: number;
    readonly drainMs: number;
  };
  readonly retries: { readonly maxAttempts: number; readonly backoffMs: number };
  /** As the price book takes them: decimal strings, exactly as written. */
  readonly priceOverrides: readonly PriceOverride[];
  readonly decisionLogs: readonly DecisionLogSettings[];
  readonly logging: { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
  readonly trustedProxies: readonly string[];
  readonly ledger: {
    readonly origin: string;
    readonly leaseMs: number;
    readonly epochBusyMs: number;
    readonly epochIdleMs: number;
    /** Files and folders of the notary. */
    readonly checkpointKey: string;
    readonly checkpoints: string;
    /** A trust policy; null: no witnesses. */
    readonly witnesses: string | null;
    readonly authorities: readonly TimestampAuthoritySettings[];
    readonly archive: ArchiveSettings | null;
  };
  /** The file's content without secrets, for printing and digesting. */
  readonly printable: JsonValue;
}

export function hasLimit(budget: BudgetLimits): boolean {
  return budget.dailyNusd !== null || budget.weeklyNusd !== null || budget.monthlyNusd !== null;
}

/** An HTTP bundle service, openpolicyagent.org/docs/management-bundles. */
export interface BundleService {
  readonly name: string;
  readonly url: string;
  readonly token: string | null;
  /** 0: no long polling. */
  readonly waitSeconds: number;
  readonly pollMs: number;
}

export interface BundleSignature extends Omit<SignatureKey, 'key'> {
  readonly keyFile: string;
}
