/** Reads what an upstream sent as JSON. */
import type { JsonDocument } from '../../redaction/index.ts';
import { readDocument, RedactionError } from '../../redaction/index.ts';
import { GatewayError } from '../errors.ts';

/** A document that is an object. Throws `upstream_error` with `refusal` for anything else: it could not be scanned. */
export function readJsonObject(source: string, refusal: string): JsonDocument {
  try {
    const document = readDocument(source);
    if (typeof document.value === 'object' && document.value !== null && !Array.isArray(document.value))
      return document;
  } catch (cause) {
    if (!(cause instanceof RedactionError)) throw cause;
  }
  throw new GatewayError('upstream_error', refusal);
}
