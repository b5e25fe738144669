import { parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { asObject } from './call-check.ts';
import type { EvidenceEntry } from './evidence.ts';
import type { Finding } from './report.ts';
import type { WriterCheck } from './writer-check.ts';

/** What facts and statement of a waiver both say. */
const SAID_TWICE = ['rule', 'expires_ms'] as const;

/** An entry whose facts name a signer holds what was signed (docs/ledger-format.md, 4.1). Nothing is said about a withheld one. */
export function checkStatement(facts: JsonValue, { sections }: EvidenceEntry, writers: WriterCheck): Finding | null {
  const said = asObject(facts);
  const wid = said['signed_by'];
  const detail = sections.get('detail');
  if (typeof wid !== 'string' || detail === undefined) return null;
  const { statement, signature } = asObject(parseCanonical(detail.text));
  const signed = { statement: asObject(statement), signature: typeof signature === 'string' ? signature : '' };
  if (!writers.hasSigned(wid, 'waiver', signed))
    return { section: 'detail', problem: `the waiver in it is not signed by writer ${wid}` };
  const differs = SAID_TWICE.find((name) => said[name] !== signed.statement[name]);
  return differs === undefined
    ? null
    : { section: 'detail', problem: `its facts name another ${differs} than the signed waiver` };
}
