import { LedgerError } from './error.ts';
import type { JsonValue } from './canonical.ts';

/** What an entry tells. Everything but `decision`, `outcome` and `late_outcome` is an event. */
export const ENTRY_KINDS = [
  'decision', 'outcome', 'late_outcome', 'attempt',
  'start', 'stop', 'reload', 'migration', 'key', 'config', 'policy', 'writer', 'log', 'refusals', 'gap', 'export', 'access',
  'approval', 'budget', 'role', 'login', 'tenant', 'erasure', 'hold', 'prune', 'recovery', 'epoch',
] as const; // prettier-ignore
/** One of ENTRY_KINDS. */
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** `decision`, `outcome`, `late_outcome`, `attempt:<n>` or `event`; one entry per (log, call, class). */
export type EntryClass = string;

/** The tenant whose log holds the events of the deployment itself. */
export const DEPLOYMENT = '_deployment';

/** Version of the header and of every section layout below. */
export const ENTRY_VERSION = 1;

const DECISION = ['facts', 'subject', 'request', 'input', 'findings', 'content'] as const;
const OUTCOME = ['facts', 'outcome', 'findings', 'content'] as const;
const EVENT = ['facts', 'detail'] as const;

/** The names of an entry's sections in leaf order. The order is the format: position is the name. */
export function sectionNames(kind: string): readonly string[] {
  if (kind === 'decision') return DECISION;
  if (kind === 'outcome' || kind === 'late_outcome') return OUTCOME;
  return EVENT;
}

/** One entry to append. */
export interface AppendItem {
  /** Tenant id, or `_deployment`. */
  readonly tenant: string;
  readonly kind: EntryKind;
  readonly class: EntryClass;
  /** Call id; for events any unique id. */
  readonly call: string;
  /** Whose key seals the sections; null = the tenant's own key. */
  readonly subject: string | null;
  /** Policies want the sections of a call kept so many days at least. Absent or 0: as long as the tenant keeps them. */
  readonly keptDays?: number;
  /** Values by section name; a missing name is a committed null. `facts` is stored in clear text and must hold no personal data. */
  readonly sections: Readonly<Record<string, JsonValue | null>>;
  /** Money to hold for the call in every named scope, nano-USD; only on a decision with `open`. */
  readonly reserve?: { readonly scopes: readonly string[]; readonly nusd: bigint };
  /** Money to book when an outcome closes the call, nano-USD; `reserved` books the full reservation. */
  readonly settle?: { readonly nusd: bigint | 'reserved' };
  /** A decision that will be forwarded: it stays open until its outcome. */
  readonly open?: boolean;
}

/** Where an entry landed. */
export interface Appended {
  readonly log: string;
  readonly inc: number;
  readonly seq: number;
  /** Leaf hash of the header, lower hex. */
  readonly hash: string;
  /** The header's `t`, unix ms; never smaller than the predecessor's. */
  readonly timeMs: number;
  readonly wid: string;
  readonly wseq: number;
}

/** Header of an entry, as parsed from its exact text. */
export interface EntryHeader {
  readonly body: string;
  readonly call: string;
  readonly inc: number;
  readonly kind: string;
  readonly log: string;
  readonly prev: string;
  readonly seq: number;
  readonly t: number;
  readonly v: number;
  readonly wid: string;
  readonly wseq: number;
}

const HEADER_STRING = /^[a-z0-9._:-]{1,64}$/;
const TENANT = /^(?:[a-z0-9][a-z0-9-]{0,40}|_deployment)$/;
const SCOPE = /^[A-Za-z0-9._:-]{1,128}$/;
const CLASS = /^(?:decision|outcome|late_outcome|attempt:[0-9]{1,4}|event)$/;
const KINDS: ReadonlySet<string> = new Set(ENTRY_KINDS);
const MAX_SCOPES = 8;
/** A million US dollars: sums of many stay far below PostgreSQL's bigint. */
const MAX_NUSD = 10n ** 15n;

/**
 * Refuses what the append function would refuse, before the item shares a batch with others.
 *
 * @throws {LedgerError} `invalid_entry` or `unknown_tenant`
 */
export function checkItem(item: AppendItem): void {
  if (!TENANT.test(item.tenant))
    throw new LedgerError('unknown_tenant', 'expected a tenant id of a-z, 0-9 and -, found another form');
  if (!KINDS.has(item.kind)) fail('a known entry kind', item.kind);
  if (!CLASS.test(item.class)) fail('class decision, outcome, late_outcome, attempt:<n> or event', item.class);
  if (!HEADER_STRING.test(item.call)) fail('a call id of 1 to 64 characters a-z 0-9 . _ : -', 'another form');
  const expected = item.kind === 'attempt' || EVENT_FREE.has(item.kind) ? item.kind : 'event';
  if (item.class.split(':')[0] !== expected) fail(`class ${expected} for kind ${item.kind}`, item.class);
  const names = sectionNames(item.kind);
  for (const name of Object.keys(item.sections)) {
    if (!names.includes(name)) fail(`sections ${names.join(', ')} for kind ${item.kind}`, 'another name');
  }
  checkMoney(item);
}

const EVENT_FREE: ReadonlySet<string> = new Set(['decision', 'outcome', 'late_outcome']);

function checkMoney(item: AppendItem): void {
  const { reserve, settle } = item;
  if ((reserve !== undefined || item.open === true) && item.kind !== 'decision')
    fail('reserve and open on a decision only', item.kind);
  if (reserve !== undefined && item.open !== true) fail('open: true on a decision that reserves', 'open missing');
  if (settle !== undefined && item.kind !== 'outcome' && item.kind !== 'late_outcome')
    fail('settle on an outcome only', item.kind);
  if (reserve !== undefined) {
    if (!isAmount(reserve.nusd)) fail('a reservation between 0 and 10^15 nano-USD', 'another amount');
    if (reserve.scopes.length > MAX_SCOPES) fail(`at most ${MAX_SCOPES} budget scopes`, String(reserve.scopes.length));
    if (new Set(reserve.scopes).size !== reserve.scopes.length) fail('each budget scope once', 'one twice');
    for (const scope of reserve.scopes)
      if (!SCOPE.test(scope)) fail('a budget scope of 1 to 128 characters A-Z a-z 0-9 . _ : -', 'another form');
  }
  if (settle !== undefined && settle.nusd !== 'reserved' && !isAmount(settle.nusd))
    fail('a settlement between 0 and 10^15 nano-USD', 'another amount');
}

function isAmount(nusd: bigint): boolean {
  return nusd >= 0n && nusd <= MAX_NUSD;
}

function fail(expected: string, found: string): never {
  throw new LedgerError('invalid_entry', `expected ${expected}, found ${found}`);
}
