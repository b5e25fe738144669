/**
 * The routes of Presidio's two services as one table: what is asked, to what is answered. No connection is touched here,
 * so the same table serves HTTP and the recorded cases.
 */
import type { JsonValue, PresidioAnalyzer } from '../../redaction/index.ts';
import { ANONYMIZER_NAMES, DEANONYMIZER_NAMES } from '../../redaction/index.ts';
import { analyzeAnswer, namesAnswer } from './presidio-analyze.ts';
import { anonymizeAnswer, deanonymizeAnswer } from './presidio-anonymize.ts';
import type { RandomBytes } from './presidio-anonymize.ts';
import { errorAnswer, FLASK, jsonAnswer, textAnswer } from './presidio-answer.ts';
import type { PresidioAnswer } from './presidio-answer.ts';

export interface PresidioCall {
  readonly method: string;
  /** Path below the base, with its query: `/analyze`. */
  readonly target: string;
  readonly contentType: string | undefined;
  /** The body as text; null: it is not UTF-8. */
  readonly body: () => Promise<string | null>;
}

export interface PresidioParts {
  readonly analyzer: () => PresidioAnalyzer;
  readonly random: RandomBytes;
}

type Ask = (parts: PresidioParts, language: string | null) => PresidioAnswer;
type Change = (parts: PresidioParts, body: JsonValue) => PresidioAnswer | Promise<PresidioAnswer>;

const READS: ReadonlyMap<string, Ask> = new Map<string, Ask>([
  // One service stands for both; a base of its own answers as the one it names.
  ['/health', () => textAnswer('Presidio Anonymizer service is up')],
  ['/anonymizer/health', () => textAnswer('Presidio Anonymizer service is up')],
  ['/analyzer/health', () => textAnswer('Presidio Analyzer service is up')],
  [
    '/supportedentities',
    ({ analyzer }, language) => namesAnswer((name) => analyzer().supportedEntities(name), language),
  ],
  ['/recognizers', ({ analyzer }, language) => namesAnswer((name) => analyzer().recognizers(name), language)],
  ['/anonymizers', () => jsonAnswer(200, ANONYMIZER_NAMES)],
  ['/deanonymizers', () => jsonAnswer(200, DEANONYMIZER_NAMES)],
]);

const CHANGES: ReadonlyMap<string, Change> = new Map<string, Change>([
  ['/analyze', ({ analyzer }, body) => analyzeAnswer(body, analyzer())],
  ['/anonymize', ({ random }, body) => anonymizeAnswer(body, random)],
  ['/deanonymize', ({ random }, body) => deanonymizeAnswer(body, random)],
]);

/** The answer to one call. Rejects only with what `body` rejects with, or when something is wrong in here. */
export async function answerPresidio(call: PresidioCall, parts: PresidioParts): Promise<PresidioAnswer> {
  const [path = '', query = ''] = call.target.split('?', 2);
  const route = routeOf(path);
  const read = READS.get(route);
  const change = CHANGES.get(route);
  const allow = read !== undefined ? 'GET, HEAD, OPTIONS' : change !== undefined ? 'OPTIONS, POST' : null;
  if (allow === null) return errorAnswer(404, FLASK.notFound);
  if (call.method === 'OPTIONS') return { ...textAnswer(''), allow };
  if (read !== undefined && (call.method === 'GET' || call.method === 'HEAD')) {
    return read(parts, new URLSearchParams(query).get('language'));
  }
  if (change !== undefined && call.method === 'POST') return changeWith(change, call, parts, route);
  return { ...errorAnswer(405, FLASK.wrongMethod), allow };
}

/** `/analyzer/analyze` and `/anonymizer/anonymize` are for clients that want two different bases. */
function routeOf(path: string): string {
  if (READS.has(path)) return path;
  return path.replace(/^\/(?:analyzer|anonymizer)(?=\/)/, '');
}

async function changeWith(
  change: Change,
  call: PresidioCall,
  parts: PresidioParts,
  route: string,
): Promise<PresidioAnswer> {
  // The analyzer's own handler fails over a body that is none, so what comes out is the framework's answer.
  const isAnalyzer = route === '/analyze';
  if (!isJson(call.contentType))
    return isAnalyzer ? errorAnswer(500, FLASK.internal) : errorAnswer(415, FLASK.unsupported);
  const parsed = parse(await call.body());
  if (parsed === undefined) return isAnalyzer ? errorAnswer(500, FLASK.internal) : errorAnswer(400, FLASK.malformed);
  return change(parts, parsed);
}

function isJson(contentType: string | undefined): boolean {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return type === 'application/json' || /^application\/.+\+json$/.test(type);
}

function parse(text: string | null): JsonValue | undefined {
  if (text === null) return undefined;
  try {
    return JSON.parse(text.replace(/^\ufeff/, '')) as JsonValue;
  } catch {
    return undefined;
  }
}
