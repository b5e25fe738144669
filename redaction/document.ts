/** A JSON body as the texts in it, with the positions needed to edit it in place. */
import { attachmentOf } from './attachments.ts';
import type { Attachment } from './attachments.ts';
import { decodePayload, findDataUrls } from './data-url.ts';
import type { DataUrl } from './data-url.ts';
import { RedactionError } from './errors.ts';
import { walkJson } from './json-walk.ts';
import type { WalkedString } from './json-walk.ts';
import type { RemoteUrl } from './remote-url.ts';

/** What `JSON.parse` can give. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** One string of a document, decoded, or a number that is long enough to be somebody's, as it is written but for an exponent. */
export interface DocumentText {
  /**
   * RFC 6901 pointer. A string inside JSON-encoded `arguments` has the outer pointer, `#` and the inner pointer; the decoded
   * text of a data: URL has the pointer of its string and `#data`. A member name has the pointer of its member.
   */
  readonly pointer: string;
  readonly text: string;
  readonly isKey: boolean;
}

/** A JSON body that was read: its source stays the truth, edits are made in it. */
export interface JsonDocument {
  readonly source: string;
  /** As `JSON.parse` gives it; a member `__proto__` is an own property. */
  readonly value: JsonValue;
  readonly texts: readonly DocumentText[];
  readonly attachments: readonly Attachment[];
  /** Of attachments only. */
  readonly urls: readonly RemoteUrl[];
}

/** Bounds of a document; depth counts nested containers, embedded JSON included. */
export interface DocumentLimits {
  readonly maxDepth: number;
  readonly maxTexts: number;
}

const DEFAULT_LIMITS: DocumentLimits = { maxDepth: 64, maxTexts: 200_000 };

/** Source text with JSON in it: number 0 is the document, the others are `arguments` strings. */
export interface Host {
  readonly source: string;
  /** Where its string token stands in its parent; null for the document itself. */
  readonly parent: { readonly host: number; readonly start: number; readonly end: number } | null;
}

/** Where a text came from. */
export interface Place {
  readonly host: number;
  /** Offsets of the string token in the host's source, quotes included. */
  readonly start: number;
  readonly end: number;
  /** For member names: number of their object, unique in its host. */
  readonly object: number;
  /** For the text of a data: URL: index of the text that contains it and the payload's place there. */
  readonly inside: { readonly text: number; readonly url: DataUrl } | null;
  /** Parts that are payload and not text, in order. */
  readonly opaque: readonly (readonly [start: number, end: number])[];
}

export interface Layout {
  readonly hosts: readonly Host[];
  /** Parallel to `texts`. */
  readonly places: readonly Place[];
  /** Left by the classification: the key that hides names. */
  pointerKey: Uint8Array | null;
}

/**
 * Positions belong to the reader, not to the document's public shape. In a private member and not in a WeakMap: what is in one of those
 * lives until the next full collection, however short its key lives.
 */
class ReadDocument implements JsonDocument {
  readonly source: string;
  readonly value: JsonValue;
  readonly texts: readonly DocumentText[];
  readonly attachments: readonly Attachment[];
  readonly urls: readonly RemoteUrl[];
  readonly #layout: Layout;

  constructor({ source, value, texts, attachments, urls }: JsonDocument, layout: Layout) {
    this.source = source;
    this.value = value;
    this.texts = texts;
    this.attachments = attachments;
    this.urls = urls;
    this.#layout = layout;
  }

  static layoutOf(document: JsonDocument): Layout {
    if (#layout in document) return document.#layout;
    throw new RedactionError(
      'unknown_pointer',
      'Expected a document made by readDocument; read the source text first.',
    );
  }
}

export function layoutOf(document: JsonDocument): Layout {
  return ReadDocument.layoutOf(document);
}

/**
 * Reads a JSON body: every string including member names, JSON inside `arguments`, text inside data: URLs, attachments.
 * Throws RedactionError `invalid_json` (RFC 8259, strictly), `duplicate_key`, `too_deep` or `too_many_texts`.
 */
export function readDocument(source: string, limits: Partial<DocumentLimits> = {}): JsonDocument {
  const reader = createReader({ ...DEFAULT_LIMITS, ...limits });
  reader.walk({ source, parent: null }, '', 0);
  const document = {
    source,
    value: parseStrictly(source),
    texts: reader.texts,
    attachments: reader.attachments,
    urls: reader.attachments.flatMap((attachment) => attachment.url ?? []),
  };
  return new ReadDocument(document, { hosts: reader.hosts, places: reader.places, pointerKey: null });
}

function parseStrictly(source: string): JsonValue {
  try {
    return JSON.parse(source) as JsonValue;
  } catch {
    // The parser's own message quotes the text around the fault.
    throw new RedactionError(
      'invalid_json',
      'The body is not valid JSON: expected RFC 8259 text; check quotes, escapes and numbers.',
    );
  }
}

interface Reader {
  readonly hosts: Host[];
  readonly texts: DocumentText[];
  readonly places: Place[];
  readonly attachments: Attachment[];
  walk(host: Host, pointer: string, depth: number): void;
}

const NO_PAYLOAD: readonly (readonly [number, number])[] = [];

function createReader(limits: DocumentLimits): Reader {
  const hosts: Host[] = [];
  const texts: DocumentText[] = [];
  const places: Place[] = [];
  const attachments: Attachment[] = [];

  function walk(host: Host, pointer: string, depth: number): void {
    const number = hosts.push(host) - 1;
    walkJson(host.source, {
      maxDepth: limits.maxDepth,
      depth,
      pointer,
      onString: (found) => {
        if (!found.isKey && found.key === 'arguments' && embed(found, number, depth)) return;
        addString(found, number);
      },
      onNumber: ({ pointer: at, text, start, end }) =>
        add(
          { pointer: at, text, isKey: false },
          { host: number, start, end, object: 0, inside: null, opaque: NO_PAYLOAD },
        ),
    });
  }

  function add(text: DocumentText, place: Place): void {
    if (texts.length >= limits.maxTexts) {
      throw new RedactionError(
        'too_many_texts',
        `The body holds more than ${String(limits.maxTexts)} texts; split the request.`,
      );
    }
    texts.push(text);
    places.push(place);
  }

  /** JSON in an `arguments` string is read as a document of its own; anything else there is plain text. */
  function embed(found: WalkedString, host: number, depth: number): boolean {
    if (!/^[ \t\r\n]*[{["]/.test(found.text) || !isJson(found.text)) return false;
    const inner = { source: found.text, parent: { host, start: found.start, end: found.end } };
    // Two levels for the string and its document, so that nesting strings in strings is bounded like nesting objects.
    walk(inner, `${found.pointer}#`, depth + 2);
    return true;
  }

  function addString(found: WalkedString, host: number): void {
    const { pointer, text, isKey, start, end, object } = found;
    const carried = carriedIn(text);
    // A data: URL says itself what it is; the part around it adds nothing.
    const part = host === 0 && !isKey && carried.length === 0 ? attachmentOf(found) : null;
    const opaque = part === null && carried.length === 0 ? NO_PAYLOAD : payloads(part?.opaque ?? 0, carried);
    const owner = texts.length;
    add({ pointer, text, isKey }, { host, start, end, object, inside: null, opaque });
    if (part !== null) attachments.push(part.attachment);
    for (const one of carried) {
      if (one.text === null) {
        attach(pointer, one.url);
        continue;
      }
      add({ pointer: `${pointer}#data`, text: one.text, isKey }, insideOf(owner, one.url));
      for (const inner of carriedIn(one.text)) if (inner.text === null) attach(`${pointer}#data`, inner.url);
    }
  }

  function attach(pointer: string, { modality }: DataUrl): void {
    attachments.push({ pointer, modality, source: 'data_url' });
  }

  return { hosts, texts, places, attachments, walk };
}

interface Carried {
  readonly url: DataUrl;
  /** The payload as text; null when it is not text. */
  readonly text: string | null;
}

const NOTHING_CARRIED: readonly Carried[] = [];

function carriedIn(text: string): readonly Carried[] {
  // Nearly every string goes by here.
  if (!text.includes(':')) return NOTHING_CARRIED;
  return findDataUrls(text).map((url) => ({ url, text: textOf(url, text) }));
}

function insideOf(owner: number, url: DataUrl): Place {
  return { host: -1, start: 0, end: 0, object: 0, inside: { text: owner, url }, opaque: NO_PAYLOAD };
}

function textOf(url: DataUrl, around: string): string | null {
  return url.isText ? decodePayload(around.slice(url.start, url.end), url.isBase64) : null;
}

/** Base64 is never text; a percent-encoded payload is hidden only where its decoded form is scanned instead. */
function payloads(opaquePrefix: number, carried: readonly Carried[]): [number, number][] {
  const hidden = carried.filter(({ url, text }) => url.isBase64 || text !== null);
  const ranges = hidden.map(({ url }): [number, number] => [url.start, url.end]);
  return opaquePrefix === 0 ? ranges : [[0, opaquePrefix], ...ranges];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Kept next to the reader so that both ends of the contract are in one place: a text by index, or the error. */
export function placeOf(layout: Layout, index: number): Place {
  const place = layout.places[index];
  if (place === undefined) {
    throw new RedactionError(
      'unknown_pointer',
      `Expected the index of a text, found ${String(index)} of ${String(layout.places.length)}.`,
    );
  }
  return place;
}
