import type { StoredAnchors } from '../anchor/stored.ts';
import { canonicalJson, parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { asObject } from '../verify/call-check.ts';

/** Beside the deployment's checkpoints: what witnesses and timestamp authorities said of them. */
export const ANCHORS_FILE = 'anchors.jsonl';
/** A line of it. */
export const MAX_ANCHOR_CHARS = 2_000_000;
const MAX_EACH = 64;

export function writeAnchors({ size, cosignatures, timestamps }: StoredAnchors): string {
  return `${canonicalJson({ cosignatures: [...cosignatures], size, timestamps: [...timestamps] })}\n`;
}

/** Null when the line has another form. */
export function readAnchorLine(line: string): StoredAnchors | null {
  let value: JsonValue;
  try {
    value = parseCanonical(line);
  } catch {
    return null;
  }
  const { size, cosignatures, timestamps } = asObject(value);
  return typeof size === 'number' && areTexts(cosignatures) && areTexts(timestamps)
    ? { size, cosignatures, timestamps }
    : null;
}

function areTexts(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.length <= MAX_EACH && value.every((each) => typeof each === 'string');
}
