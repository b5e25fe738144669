/** Finds what is sensitive in every string of the request. Findings carry positions and types, never values. */
import type { Analyzer } from '../../redaction/index.ts';
import { classifyDocument } from '../../redaction/index.ts';
import type { ClassifiedExchange, Exchange } from '../exchange.ts';

/** `pointerKey` hides the names in paths that the caller chose. */
export function classify(exchange: Exchange, analyzer: Analyzer, pointerKey: Uint8Array): ClassifiedExchange {
  return { ...exchange, classification: classifyDocument(exchange.document, analyzer, pointerKey) };
}
