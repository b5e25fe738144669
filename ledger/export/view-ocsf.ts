import { canonicalJson } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { sha256 } from '../merkle.ts';
import type { OpenedSection } from '../seal.ts';
import { asObject } from '../verify/call-check.ts';
import type { ViewedEntry } from './viewed.ts';

/** The schema these events are written for: https://schema.ocsf.io/1.9.0 */
export const OCSF_VERSION = '1.9.0';

type Fields = { [name: string]: JsonValue };

const CALLS: ReadonlySet<string> = new Set(['decision', 'attempt', 'outcome', 'late_outcome']);
const NOT_RECORDED = 'not recorded';

/**
 * Entries as OCSF events, one JSON object a line: calls as API Activity (6003) with the profile ai_operation, everything else as
 * Base Event (0). Each carries the profile record_integrity: an attestation over the event itself in RFC 8785 form, chained to
 * the event before it in the view. The ledger's own proof is elsewhere; `unmapped` leads to it.
 */
export class OcsfView {
  readonly #tenant: string;
  #prev: JsonValue = null;

  constructor(tenant: string) {
    this.#tenant = tenant;
  }

  row(entry: ViewedEntry, facts: JsonValue, sections: ReadonlyMap<string, OpenedSection>): string {
    const known = asObject(facts);
    const event = CALLS.has(entry.kind) ? callEvent(entry, known, actorOf(sections)) : baseEvent(entry);
    const { log, seq, hash, wid } = entry;
    const attestation: Fields = { authority_uid: wid, chain_uid: log, uid: `${log}/${String(seq)}` };
    if (this.#prev !== null) attestation['prev_event'] = this.#prev;
    const unsigned: Fields = {
      ...event,
      time: entry.timeMs,
      severity_id: 1,
      metadata: this.#metadata(entry, CALLS.has(entry.kind)),
      unmapped: { facts, hash, kind: entry.kind, log, seq },
    };
    const text = canonicalJson({ ...unsigned, attestation_list: [attestation] });
    const fingerprint = { algorithm_id: 3, encoding_id: 1, serialization_id: 2, value: sha256(text) };
    this.#prev = { uid: hash, type_uid: event['type_uid'] ?? 0, fingerprint };
    return `${canonicalJson({ ...unsigned, attestation_list: [{ ...attestation, fingerprint }] })}\n`;
  }

  #metadata({ hash, seq, call }: ViewedEntry, isCall: boolean): Fields {
    return {
      version: OCSF_VERSION,
      product: { name: 'Countersign', vendor_name: 'Countersign' },
      profiles: isCall ? ['ai_operation', 'record_integrity'] : ['record_integrity'],
      uid: hash,
      sequence: seq,
      correlation_uid: call,
      tenant_uid: this.#tenant,
    };
  }
}

function callEvent(entry: ViewedEntry, facts: Fields, actor: Fields): Fields {
  const failed = hasFailed(entry.kind, facts);
  const service = { name: textOf(facts['provider']) ?? NOT_RECORDED };
  return {
    class_uid: 6003,
    category_uid: 6,
    // A call creates a completion.
    activity_id: 1,
    type_uid: 600_301,
    status_id: failed ? 2 : 1,
    ...optional('status_code', textOf(facts['code'])),
    ...optional('status_detail', textOf(facts['effect']) ?? textOf(facts['status'])),
    actor,
    src_endpoint: { name: NOT_RECORDED },
    dst_endpoint: service,
    api: {
      operation: textOf(facts['api']) ?? 'model call',
      service,
      request: { uid: entry.call },
      ...optional('response', responseOf(facts)),
    },
    ai_model: { name: textOf(facts['model']) ?? NOT_RECORDED, ai_provider: service.name },
    message_context: messageContext(facts, service),
    ...optional('stop_reason', textOf(facts['finish_reason'])),
  };
}

function baseEvent({ kind }: ViewedEntry): Fields {
  return { class_uid: 0, category_uid: 0, activity_id: 99, activity_name: kind, type_uid: 99 };
}

function hasFailed(kind: string, facts: Fields): boolean {
  return kind === 'decision' ? facts['effect'] !== 'allow' : kind !== 'attempt' && facts['status'] !== 'ok';
}

function responseOf(facts: Fields): Fields | null {
  const code = facts['http_status'];
  return typeof code === 'number' ? { code } : null;
}

function messageContext(facts: Fields, service: Fields): Fields {
  const usage = asObject(facts['usage']);
  const [input, output] = [usage['input_tokens'], usage['output_tokens']];
  if (typeof input !== 'number' || typeof output !== 'number') return { service, ai_role_id: 2 };
  return { service, ai_role_id: 2, prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

/** Who called, when the section that says so is disclosed. */
function actorOf(sections: ReadonlyMap<string, OpenedSection>): Fields {
  const subject = sections.get('subject');
  const { id } = asObject(subject === undefined ? null : (JSON.parse(subject.text) as JsonValue));
  return { user: { uid: textOf(id) ?? 'withheld' } };
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function optional(name: string, value: JsonValue): Fields {
  return value === null ? {} : { [name]: value };
}
