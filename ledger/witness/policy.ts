import { LedgerError } from '../error.ts';
import { parseVerifierKey } from '../note/key.ts';
import type { NoteAlgorithm, VerifierKey } from '../note/key.ts';

/** A log whose checkpoints are believed. */
export interface PolicyLog {
  /** Its name is the log's origin line. */
  readonly key: VerifierKey;
  readonly url: string | null;
}

/** A witness whose cosignatures count. */
export interface PolicyWitness {
  /** Means something within the policy file only. */
  readonly name: string;
  readonly key: VerifierKey;
  /** Submission prefix (c2sp.org/tlog-witness). */
  readonly url: string | null;
}

/** A witness, or at least `threshold` of the members. */
export type QuorumRule =
  { readonly witness: PolicyWitness } | { readonly threshold: number; readonly members: readonly QuorumRule[] };

/** Whom somebody trusts: c2sp.org/tlog-policy. */
export interface TrustPolicy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  /** Null for `quorum none`: no cosignature is asked for, and none shows anything. */
  readonly quorum: QuorumRule | null;
}

const MAX_CHARS = 262_144;
const MAX_LINES = 4096;
const MAX_DEFINITIONS = 256;
/** Tab and line feed are the only control characters of the format. */
const FORBIDDEN = /(?![\t\n\u0080-\u009f])\p{Cc}/u;

/**
 * Reads a trust policy. Names compare byte by byte, as the format asks; a file that is not UTF-8 is refused by its reader.
 *
 * @throws {LedgerError} `trust_policy`, with the number of the line
 */
export function parsePolicy(text: string): TrustPolicy {
  const lines = text.split('\n');
  if (text.length > MAX_CHARS || lines.length > MAX_LINES) throw refuse(1, 'a file of at most 256 KiB and 4096 lines');
  const reader = new PolicyReader();
  for (const [index, line] of lines.entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    if (FORBIDDEN.test(line)) throw refuse(index + 1, 'no control characters besides tabs');
    if (words[0] === undefined || words[0].startsWith('#')) continue;
    const problem = reader.read(words);
    if (problem !== null) throw refuse(index + 1, problem);
  }
  return reader.end();
}

/** Lines in order: a name is used after the line that defines it, and as a member only once. */
class PolicyReader {
  readonly #logs: PolicyLog[] = [];
  readonly #witnesses: PolicyWitness[] = [];
  readonly #rules = new Map<string, QuorumRule>();
  readonly #members = new Set<string>();
  readonly #keys = { log: new Set<string>(), witness: new Set<string>() };
  #quorum: QuorumRule | null | undefined;

  /** What was expected instead; null when the line is good. */
  read([word = '', ...rest]: readonly string[]): string | null {
    if (this.#rules.size + this.#logs.length > MAX_DEFINITIONS)
      return `at most ${String(MAX_DEFINITIONS)} logs, witnesses and groups`;
    if (word === 'log') return this.#log(rest);
    if (word === 'witness') return this.#witness(rest);
    if (word === 'group') return this.#group(rest);
    if (word === 'quorum') return this.#setQuorum(rest);
    return 'log, witness, group or quorum';
  }

  end(): TrustPolicy {
    if (this.#quorum === undefined)
      throw new LedgerError(
        'trust_policy',
        'expected a quorum line, found none; write "quorum none" to ask for nobody',
      );
    return { logs: this.#logs, witnesses: this.#witnesses, quorum: this.#quorum };
  }

  #log([vkey = '', url, ...more]: readonly string[]): string | null {
    const key = this.#key(vkey, 'log', 'ed25519');
    if (typeof key === 'string' || more.length > 0) return typeof key === 'string' ? key : 'log <vkey> [<url>]';
    this.#logs.push({ key, url: url ?? null });
    return null;
  }

  #witness([name = '', vkey = '', url, ...more]: readonly string[]): string | null {
    const key = this.#key(vkey, 'witness', 'cosignature');
    if (typeof key === 'string') return key;
    if (more.length > 0) return 'witness <name> <vkey> [<url>]';
    const witness = { name, key, url: url ?? null };
    const problem = this.#define(name, { witness });
    if (problem === null) this.#witnesses.push(witness);
    return problem;
  }

  #group([name = '', wanted = '', ...names]: readonly string[]): string | null {
    const members = names.flatMap((each) => this.#rules.get(each) ?? []);
    if (members.length === 0 || members.length !== names.length) return 'members that earlier lines define';
    for (const each of names) {
      if (this.#members.has(each)) return 'each name as a member once';
      this.#members.add(each);
    }
    const words: Readonly<Record<string, number>> = { all: members.length, any: 1 };
    const number = /^[1-9][0-9]{0,4}$/.test(wanted) ? Number(wanted) : Number.NaN;
    const threshold = Object.hasOwn(words, wanted) ? (words[wanted] ?? Number.NaN) : number;
    if (!(threshold <= members.length)) return 'all, any, or a number from 1 to that of the members';
    return this.#define(name, { threshold, members });
  }

  #setQuorum([name = '', ...more]: readonly string[]): string | null {
    const rule = name === 'none' ? null : this.#rules.get(name);
    if (rule === undefined || more.length > 0) return 'quorum none, or a name that an earlier line defines';
    if (this.#quorum !== undefined) return 'one quorum line';
    this.#quorum = rule;
    return null;
  }

  #define(name: string, rule: QuorumRule): string | null {
    if (name === 'none' || name === '' || this.#rules.has(name)) return 'a name that is not taken';
    this.#rules.set(name, rule);
    return null;
  }

  #key(vkey: string, kind: 'log' | 'witness', algorithm: NoteAlgorithm): VerifierKey | string {
    let key: VerifierKey;
    try {
      key = parseVerifierKey(vkey);
    } catch (error) {
      if (error instanceof LedgerError) return `a verifier key (${error.message})`;
      throw error;
    }
    if (key.algorithm !== algorithm) return `a key for ${kind === 'log' ? 'checkpoints' : 'cosignatures'}`;
    const material = Buffer.from(key.publicKey).toString('hex');
    if (this.#keys[kind].has(material)) return `each ${kind} once`;
    this.#keys[kind].add(material);
    return key;
  }
}

/** Did enough of the witnesses sign? False for `quorum none`: whoever asks nobody was told nothing. */
export function meetsQuorum({ quorum }: TrustPolicy, signed: (key: VerifierKey) => boolean): boolean {
  return quorum !== null && meets(quorum, signed);
}

function meets(rule: QuorumRule, signed: (key: VerifierKey) => boolean): boolean {
  if ('witness' in rule) return signed(rule.witness.key);
  return rule.members.filter((member) => meets(member, signed)).length >= rule.threshold;
}

function refuse(line: number, expected: string): LedgerError {
  return new LedgerError('trust_policy', `line ${String(line)}: expected ${expected}, found something else`);
}
