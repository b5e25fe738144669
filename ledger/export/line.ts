import { canonicalJson, parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import type { OpenedSection } from '../seal.ts';
import type { EvidenceEntry } from '../verify/evidence.ts';

const KEY_REF = /^[0-9]{1,19}$/;

/** One line of entries.jsonl: canonical JSON, so that the same entry always gives the same bytes. */
export function writeLine({ sections, ...entry }: EvidenceEntry): string {
  const disclosed: string[] = [];
  for (const name of [...sections.keys()].toSorted()) {
    const section = sections.get(name);
    if (section !== undefined) disclosed.push(`${JSON.stringify(name)}:${writeSection(section)}`);
  }
  return `${joinLine(entry, disclosed.join(','))}\n`;
}

function joinLine(
  { erasedKey, hash, header, isPruned, leaves, receipt }: Omit<EvidenceEntry, 'sections'>,
  sections: string,
): string {
  const signed =
    receipt === null ? 'null' : canonicalJson({ digest: receipt.digest, sig: receipt.signature, wid: receipt.wid });
  const erased = erasedKey === undefined ? '' : `"erased":${JSON.stringify(erasedKey)},`;
  const pruned = isPruned === true ? '"pruned":true,' : '';
  const start = `{${erased}"hash":${JSON.stringify(hash)},"header":${JSON.stringify(header)},"leaves":${canonicalJson([...leaves])}`;
  return `${start},${pruned}"receipt":${signed},"sections":{${sections}}}`;
}

/** The value itself when its text is canonical, so that a line can be read with jq; a damaged text as a string. */
function writeSection({ salt, text }: OpenedSection): string {
  try {
    parseCanonical(text);
    return `{"salt":${JSON.stringify(salt)},"value":${text}}`;
  } catch {
    return `{"salt":${JSON.stringify(salt)},"text":${JSON.stringify(text)}}`;
  }
}

/**
 * Reads a line back; null when it is not exactly what writeLine writes for that entry: a member twice, one too many or another
 * spelling could show one thing to the verifier and another to whoever else reads the file.
 */
export function readLine(line: string): EvidenceEntry | null {
  let value: JsonValue;
  try {
    value = JSON.parse(line) as JsonValue;
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { erased, hash, header, leaves, pruned, receipt, sections } = value;
  if (typeof hash !== 'string' || typeof header !== 'string' || !isObject(sections)) return null;
  const hashes = readHashes(leaves);
  const opened = readSections(sections);
  const signed = readReceipt(receipt);
  if (hashes === null || opened === null || signed === undefined) return null;
  if (erased !== undefined && (typeof erased !== 'string' || !KEY_REF.test(erased))) return null;
  if (pruned !== undefined && (pruned !== true || erased === undefined)) return null;
  const key = erased === undefined ? {} : { erasedKey: erased, isPruned: pruned === true };
  const { written, areCanonical } = opened;
  const entry = { hash, header, leaves: hashes, sections: opened.sections, receipt: signed, areCanonical, ...key };
  return written === null || joinLine(entry, written) === line ? entry : null;
}

function readHashes(leaves: JsonValue | undefined): string[] | null {
  if (!Array.isArray(leaves) || leaves.length > 64) return null;
  const hashes = leaves.filter((leaf) => typeof leaf === 'string' && /^[0-9a-f]{64}$/.test(leaf)) as string[];
  return hashes.length === leaves.length ? hashes : null;
}

/** Sections as they were read, and as they are written: null when one is no value that could have been. */
interface ReadSections {
  readonly sections: Map<string, OpenedSection>;
  readonly written: string | null;
  readonly areCanonical: boolean;
}

function readSections(members: { [key: string]: JsonValue }): ReadSections | null {
  const sections = new Map<string, OpenedSection>();
  const written: string[] = [];
  let [areCanonical, isWritable] = [true, true];
  for (const [name, section] of Object.entries(members)) {
    if (!isObject(section) || typeof section['salt'] !== 'string' || !/^(?:[0-9a-f]{32})?$/.test(section['salt']))
      return null;
    const { salt, text, value } = section;
    const isDamaged = typeof text === 'string';
    if (!isDamaged && value === undefined) return null;
    const found = isDamaged ? text : canonicalOrNothing(value ?? null);
    sections.set(name, { salt, text: found });
    // Outside the canonical profile: it cannot be what was committed to, and any text that is not canonical says so.
    if (!isDamaged && found === '') isWritable = false;
    if (isDamaged || found === '') areCanonical = false;
    written.push(
      `${JSON.stringify(name)}:{"salt":"${salt}",${isDamaged ? `"text":${JSON.stringify(text)}` : `"value":${found}`}}`,
    );
  }
  return { sections, written: isWritable ? written.join(',') : null, areCanonical };
}

function canonicalOrNothing(value: JsonValue): string {
  try {
    return canonicalJson(value);
  } catch {
    return '';
  }
}

function readReceipt(receipt: JsonValue | undefined): EvidenceEntry['receipt'] | undefined {
  if (receipt === null) return null;
  if (!isObject(receipt)) return undefined;
  const { digest, sig, wid } = receipt;
  if (typeof digest !== 'string' || typeof sig !== 'string' || typeof wid !== 'string') return undefined;
  return { digest, signature: sig, wid };
}

export function isObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
