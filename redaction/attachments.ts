/** Parts of a chat request that are not text: images, audio, files, and URLs the provider would fetch. */
import { decodePayload } from './data-url.ts';
import type { Modality } from './data-url.ts';
import type { WalkedString } from './json-walk.ts';
import { readRemoteUrl } from './remote-url.ts';
import type { RemoteUrl } from './remote-url.ts';

/** A part of a request that is not text, and how it is given. */
export interface Attachment {
  readonly pointer: string;
  readonly modality: Modality;
  readonly source: 'data_url' | 'remote_url' | 'base64' | 'file_id';
  /** Only for `remote_url`. */
  readonly url?: RemoteUrl;
}

/** Members that hold an address of something, and what that is. */
const ADDRESSES: ReadonlyMap<string, Modality> = new Map([
  ['image_url', 'image'],
  ['audio_url', 'audio'],
  ['video_url', 'video'],
  ['file_url', 'file'],
  ['file_uri', 'file'],
  ['fileUri', 'file'],
]);

/** The members `roleOf` looks at: a set of them settles nearly every string. */
const NAMES: ReadonlySet<string> = new Set([...ADDRESSES.keys(), 'url', 'data', 'file_data', 'file_id', 'id']);

/** Parts whose `data` says nothing of its kind: the media type beside it is the caller's word. */
const CARRIERS: ReadonlySet<string> = new Set(['source', 'inline_data', 'inlineData']);
const FILES: ReadonlySet<string> = new Set(['file', 'content', 'image_file', 'source']);

/** Which member of a content part holds what. Found by name, not by the part's `type`: a wrong `type` must not hide it. */
function roleOf({ key, parentKey, pointer }: WalkedString): 'url' | 'base64' | 'perhaps_base64' | 'file_id' | null {
  const inMessage = pointer.startsWith('/messages/');
  if (ADDRESSES.has(key)) return 'url';
  if (key === 'url') return ADDRESSES.has(parentKey) || (inMessage && parentKey === 'source') ? 'url' : null;
  if (key === 'file_data') return 'base64';
  if (key === 'file_id') return FILES.has(parentKey) ? 'file_id' : null;
  // Speech of an earlier answer that the provider has kept.
  if (key === 'id') return inMessage && parentKey === 'audio' ? 'file_id' : null;
  if (parentKey === 'input_audio') return 'base64';
  return inMessage && CARRIERS.has(parentKey) ? 'perhaps_base64' : null;
}

function modalityOfPart({ key, parentKey }: WalkedString): Modality {
  if (parentKey === 'input_audio' || parentKey === 'audio') return 'audio';
  if (parentKey === 'image_file') return 'image';
  return ADDRESSES.get(key) ?? ADDRESSES.get(parentKey) ?? 'file';
}

const BASE64 = /[0-9A-Za-z+/=_-]*/y;

export interface PartAttachment {
  readonly attachment: Attachment;
  /** Code units at the start of the text that are payload, not text. */
  readonly opaque: number;
}

/**
 * What a string of a content part attaches. Well-formed data: URLs never come here: `findDataUrls` sees them in any string.
 * Sources: OpenAI API reference, chat `content[]` parts `image_url`, `input_audio`, `file`, responses `input_*` parts; Anthropic
 * API reference, `source`; Gemini API reference, `inlineData` and `fileData`, which servers of OpenAI's protocol read as well.
 */
export function attachmentOf(found: WalkedString): PartAttachment | null {
  if (!NAMES.has(found.key)) return null;
  const { pointer, text } = found;
  const role = found.isKey || text === '' ? null : roleOf(found);
  if (role === null) return null;
  const modality = modalityOfPart(found);
  if (role === 'file_id') return { attachment: { pointer, modality, source: 'file_id' }, opaque: 0 };
  if (role === 'url') {
    return { attachment: { pointer, modality, source: 'remote_url', url: readRemoteUrl(text) }, opaque: 0 };
  }
  BASE64.lastIndex = 0;
  const opaque = BASE64.exec(text)?.[0].length ?? 0;
  if (role === 'perhaps_base64') {
    // A document in plain text stands in the same member; encoded text is read as well.
    if (opaque < text.length) return null;
    if (decodePayload(text, true) !== null) return { attachment: { pointer, modality, source: 'base64' }, opaque: 0 };
  }
  return { attachment: { pointer, modality, source: 'base64' }, opaque };
}
