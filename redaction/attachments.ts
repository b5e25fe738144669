/** Parts of a chat request that are not text: images, audio, files, and URLs the provider would fetch. */
import type { WalkedString } from './json-walk.ts';
import { readRemoteUrl } from './remote-url.ts';
import type { RemoteUrl } from './remote-url.ts';

/** What kind of thing an attachment is, by its member or media type. */
export type Modality = 'image' | 'audio' | 'video' | 'file';

/** A part of a request that is not text, and how it is given. */
export interface Attachment {
  readonly pointer: string;
  readonly modality: Modality;
  readonly source: 'data_url' | 'remote_url' | 'base64' | 'file_id';
  /** Only for `remote_url`. */
  readonly url?: RemoteUrl;
}

/** The members `roleOf` looks at: a set of them settles nearly every string. */
const NAMES: ReadonlySet<string> = new Set('image_url file_url video_url url data file_data file_id'.split(' '));

/** Which member of a content part holds what. Found by name, not by the part's `type`: a wrong `type` must not hide it. */
function roleOf({ key, parentKey }: WalkedString): 'url' | 'base64' | 'file_id' | null {
  if (key === 'image_url' || key === 'file_url' || key === 'video_url') return 'url';
  if (key === 'url' && (parentKey === 'image_url' || parentKey === 'video_url')) return 'url';
  if (key === 'data' && parentKey === 'input_audio') return 'base64';
  if (key === 'file_data') return 'base64';
  return key === 'file_id' && (parentKey === 'file' || parentKey === 'content') ? 'file_id' : null;
}

function modalityOfPart({ key, parentKey }: WalkedString): Modality {
  if (key === 'image_url' || parentKey === 'image_url') return 'image';
  if (key === 'video_url' || parentKey === 'video_url') return 'video';
  return parentKey === 'input_audio' ? 'audio' : 'file';
}

const BASE64 = /[0-9A-Za-z+/=_-]*/y;

export interface PartAttachment {
  readonly attachment: Attachment;
  /** Code units at the start of the text that are payload, not text. */
  readonly opaque: number;
}

/**
 * What a string of a content part attaches. Well-formed data: URLs never come here: `findDataUrls` sees them in any string.
 * Sources: OpenAI API reference, chat `content[]` parts `image_url`, `input_audio`, `file`; responses `input_*` parts.
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
  return { attachment: { pointer, modality, source: 'base64' }, opaque: BASE64.exec(text)?.[0].length ?? 0 };
}
