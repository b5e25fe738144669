/** data: URLs (RFC 2397) inside any text: media type, where the payload lies, and its text if it is text. */

/** What kind of thing an attachment is, by its member or media type. */
export type Modality = 'image' | 'audio' | 'video' | 'file';

export interface DataUrl {
  readonly modality: Modality;
  readonly isText: boolean;
  readonly isBase64: boolean;
  /** Offsets of the payload in the text around it. */
  readonly start: number;
  readonly end: number;
}

const CUE = /data:/i;
const HEADER = /data:([a-z]{1,32}\/[0-9a-z.+-]{1,96})?((?:;[^;,\s"']{1,128}){0,8}),/gi;
/** Unrolled, because an alternation per character is five times slower on megabytes. */
const BASE64 = /[0-9A-Za-z+/=_-]*(?:%(?:2[BbFf]|3[Dd])[0-9A-Za-z+/=_-]*)*/y;
const ENCODED = /[^\s"'<>()\\]*/y;
const TEXT_TYPE =
  /^(?:text\/|application\/(?:json|xml|javascript|yaml|x-yaml|x-ndjson|sql|x-sh|[^/]*\+(?:json|xml|yaml))$)/;
const READABLE_CHARSET = /^(?:utf-?8|us-ascii)$/i;

/** All data: URLs of a text, in order. Payloads are skipped natively, so megabytes of base64 cost about a millisecond. */
export function findDataUrls(text: string): DataUrl[] {
  if (!CUE.test(text)) return [];
  const found: DataUrl[] = [];
  HEADER.lastIndex = 0;
  for (let match = HEADER.exec(text); match !== null; match = HEADER.exec(text)) {
    const [header, mediaType = '', parameters = ''] = match;
    if (mediaType === '' && parameters === '') continue;
    const start = match.index + header.length;
    const url = describe(mediaType.toLowerCase(), parameters, text, start);
    HEADER.lastIndex = url.end;
    found.push(url);
  }
  return found;
}

function describe(mediaType: string, parameters: string, text: string, start: number): DataUrl {
  const isBase64 = /;base64$/i.test(parameters);
  const charset = /;charset=([^;]+)/i.exec(parameters)?.[1] ?? 'utf-8';
  const payload = isBase64 ? BASE64 : ENCODED;
  payload.lastIndex = start;
  return {
    modality: modalityOf(mediaType),
    isText: (mediaType === '' || TEXT_TYPE.test(mediaType)) && READABLE_CHARSET.test(charset),
    isBase64,
    start,
    end: start + (payload.exec(text)?.[0].length ?? 0),
  };
}

/** Modality by the first part of a media type. */
export function modalityOf(mediaType: string): Modality {
  const family = mediaType.slice(0, mediaType.indexOf('/'));
  return family === 'image' || family === 'audio' || family === 'video' ? family : 'file';
}

/** The text a payload carries; null when it is not well-formed UTF-8 text, and then it cannot be scanned. */
export function decodePayload(payload: string, isBase64: boolean): string | null {
  try {
    const plain = payload.includes('%') ? decodeURIComponent(payload) : payload;
    if (!isBase64) return plain;
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(plain, 'base64'));
  } catch {
    return null;
  }
}

/** The inverse of `decodePayload`; a lone surrogate, which no URL can carry, becomes U+FFFD. */
export function encodePayload(text: string, isBase64: boolean): string {
  return isBase64
    ? Buffer.from(text, 'utf8').toString('base64')
    : encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
}
