/**
 * Detectors of other services, for what expressions cannot find: names, places. They see the texts of a request before
 * anything is redacted, so each is named in the configuration, asked over TLS, and bounded in time and size. One that
 * fails, in whatever way, is a part of the request that could not be scanned: policy refuses the call, or accepts that.
 */
import { z } from 'zod';
import type { Classification, JsonDocument, RemoteSpan, RemoteText } from '../redaction/index.ts';
import { addRemoteFindings, RedactionError, remoteTexts } from '../redaction/index.ts';
import type { RemoteAnalyzerSettings } from './config.ts';
import type { Egress } from './egress.ts';
import { GatewayError } from './errors.ts';
import type { CallLog } from './log.ts';

/** The classification of a document with what all configured services found in it. Rejects never. */
export type AskAnalyzers = (
  document: JsonDocument,
  classification: Classification,
  signal: AbortSignal,
) => Promise<Classification>;

export interface RemoteAnalyzerParts {
  readonly egress: Pick<Egress, 'request'>;
  readonly log: Pick<CallLog, 'warn'>;
}

/** How the names of these detectors begin, in findings and in the ledger. */
export const REMOTE_DETECTOR = 'remote:';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_TEXTS = 1000;

const ANSWER = z.array(
  z.array(
    z.looseObject({
      entity_type: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/),
      start: z.number(),
      end: z.number(),
      score: z.number(),
    }),
  ),
);

/** Null when none is configured, so that requests do not wait for nothing. */
export function createRemoteAnalyzers(
  analyzers: readonly RemoteAnalyzerSettings[],
  parts: RemoteAnalyzerParts,
): AskAnalyzers | null {
  if (analyzers.length === 0) return null;
  return async (document, classification, signal) => {
    const texts = remoteTexts(document);
    if (texts.length === 0) return classification;
    const answers = await Promise.all(
      analyzers.map(async (analyzer) => ({ analyzer, spans: await answerOf(analyzer, texts, parts, signal) })),
    );
    return answers.reduce((known, { analyzer, spans }) => {
      const detector = `${REMOTE_DETECTOR}${analyzer.name}`;
      try {
        if (spans !== null) return addRemoteFindings(document, known, { detector, texts, spans });
      } catch (error) {
        warn(parts, analyzer, error);
      }
      return { ...known, unscanned: [...known.unscanned, { what: 'detector', path: '' } as const] };
    }, classification);
  };
}

/** Null when the detector failed. */
async function answerOf(
  analyzer: RemoteAnalyzerSettings,
  texts: readonly RemoteText[],
  parts: RemoteAnalyzerParts,
  signal: AbortSignal,
): Promise<RemoteSpan[][] | null> {
  try {
    return await askOne(analyzer, texts, parts.egress, signal);
  } catch (error) {
    warn(parts, analyzer, error);
    return null;
  }
}

async function askOne(
  { url, apiKey, language, entities, minScore, timeoutMs, maxChars }: RemoteAnalyzerSettings,
  texts: readonly RemoteText[],
  egress: Pick<Egress, 'request'>,
  signal: AbortSignal,
): Promise<RemoteSpan[][]> {
  const chars = texts.reduce((sum, { text }) => sum + text.length, 0);
  if (texts.length > MAX_TEXTS || chars > maxChars) {
    throw new RedactionError('limit_exceeded', 'The request has more text than the analyzer is given.');
  }
  const body = {
    text: texts.map(({ text }) => text),
    language,
    score_threshold: minScore / 1000,
    ...(entities.length === 0 ? {} : { entities }),
  };
  const reply = await egress.request({
    purpose: 'remote_analyzer',
    url: `${url}/analyze`,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
    },
    body: JSON.stringify(body),
    timeoutMs,
    maxBytes: MAX_ANSWER_BYTES,
    signal,
  });
  if (reply.status !== 200) throw new GatewayError('upstream_error', `The analyzer answered ${String(reply.status)}.`);
  const answer = ANSWER.safeParse(JSON.parse(reply.body.toString('utf8')));
  if (!answer.success)
    throw new GatewayError('upstream_error', "The answer is not in the form of Presidio's /analyze.");
  return answer.data.map((spans) => spans.flatMap((span) => spanOf(span, entities, minScore)));
}

/** A service that knows no threshold or no selection sends more than was asked for. */
function spanOf(
  found: { readonly entity_type: string; readonly start: number; readonly end: number; readonly score: number },
  entities: readonly string[],
  minScore: number,
): RemoteSpan[] {
  const { entity_type: type, start, end, score } = found;
  const isWanted = (entities.length === 0 || entities.includes(type)) && score * 1000 >= minScore;
  return isWanted ? [{ type, start, end, score }] : [];
}

function warn({ log }: RemoteAnalyzerParts, { name }: RemoteAnalyzerSettings, error: unknown): void {
  const code = error instanceof GatewayError || error instanceof RedactionError ? error.code : 'unreadable';
  log.warn('remote_analyzer', { name, code });
}
