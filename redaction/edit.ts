/** Edits of a JSON document in its source text: what no edit touches keeps its very bytes. */
import { encodePayload } from './data-url.ts';
import { layoutOf, placeOf } from './document.ts';
import type { JsonDocument, JsonValue, Layout } from './document.ts';
import { RedactionError } from './errors.ts';
import { locate } from './json-members.ts';
import type { Container, Location } from './json-members.ts';
import { parsePointer } from './pointer.ts';
import { applySplices } from './splice.ts';
import type { Splice } from './splice.ts';

/**
 * `text`: new decoded text for `texts[index]`. `set`: replaces a value, or appends a missing member to an existing object.
 * `remove`: takes out an object member or array element. Pointers refer to the document as it was read, whatever the other
 * edits do; they do not lead into embedded JSON. Of two edits of one place, or of a place inside another, the outer counts.
 */
export type DocumentEdit =
  | { readonly op: 'text'; readonly index: number; readonly text: string }
  | { readonly op: 'set'; readonly pointer: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly pointer: string };

/** The document's source with the edits made. Throws RedactionError `unknown_pointer` when a place does not exist. */
export function editDocument(document: JsonDocument, edits: readonly DocumentEdit[]): string {
  const layout = layoutOf(document);
  const perHost = layout.hosts.map((): Splice[] => []);
  // Before the texts: of two edits of one string, `set` and `remove` count.
  perHost[0]?.push(...structuralSplices(document.source, edits));
  addTextEdits(document, layout, edits, perHost);
  return joinHosts(layout, perHost);
}

/** Inner documents come after the ones they lie in, so going backwards every inner text is finished before it is embedded. */
function joinHosts(layout: Layout, perHost: readonly Splice[][]): string {
  for (let i = layout.hosts.length - 1; i > 0; i--) {
    const host = layout.hosts[i];
    const splices = perHost[i];
    const parent = host?.parent ?? null;
    if (host === undefined || parent === null || splices === undefined || splices.length === 0) continue;
    const { start, end } = parent;
    perHost[parent.host]?.push({ start, end, text: JSON.stringify(applySplices(host.source, splices)) });
  }
  return applySplices(layout.hosts[0]?.source ?? '', perHost[0] ?? []);
}

function addTextEdits(
  document: JsonDocument,
  layout: Layout,
  edits: readonly DocumentEdit[],
  perHost: readonly Splice[][],
): void {
  const texts = new Map<number, string>();
  for (const edit of edits) if (edit.op === 'text') texts.set(edit.index, edit.text);
  foldPayloads(document, layout, texts);
  for (const [index, text] of texts) {
    const { host, start, end } = placeOf(layout, index);
    perHost[host]?.push({ start, end, text: JSON.stringify(text) });
  }
}

/** A new text for a data: URL becomes a new text for the string that holds the URL. */
function foldPayloads(document: JsonDocument, layout: Layout, texts: Map<number, string>): void {
  const byOwner = new Map<number, Splice[]>();
  for (const [index, text] of texts) {
    const { inside } = placeOf(layout, index);
    if (inside === null) continue;
    const { start, end, isBase64 } = inside.url;
    byOwner.set(inside.text, [
      ...(byOwner.get(inside.text) ?? []),
      { start, end, text: encodePayload(text, isBase64) },
    ]);
    texts.delete(index);
  }
  for (const [owner, splices] of byOwner) {
    if (texts.has(owner)) {
      throw new RedactionError(
        'unknown_pointer',
        'Expected one edit for a string and the data: URL in it, found two; edit the string only.',
      );
    }
    texts.set(owner, applySplices(document.texts[owner]?.text ?? '', splices));
  }
}

interface ContainerEdits {
  readonly container: Container;
  readonly removed: Set<string>;
  readonly appended: Map<string, JsonValue>;
}

function structuralSplices(source: string, edits: readonly DocumentEdit[]): Splice[] {
  /** By offset, so that the later of two edits of one value counts. */
  const replaced = new Map<number, Splice>();
  const containers = new Map<number, ContainerEdits>();
  for (const edit of edits) {
    if (edit.op === 'text') continue;
    if (edit.op === 'set' && edit.pointer === '') {
      replaced.set(-1, { start: 0, end: source.length, text: JSON.stringify(edit.value) });
      continue;
    }
    const { container, member } = find(source, edit);
    const inContainer = containers.get(container.open) ?? { container, removed: new Set(), appended: new Map() };
    containers.set(container.open, inContainer);
    const name = lastToken(edit.pointer);
    if (edit.op === 'remove') inContainer.removed.add(name);
    else if (member === undefined) inContainer.appended.set(name, edit.value);
    else
      replaced.set(member.valueStart, { start: member.valueStart, end: member.end, text: JSON.stringify(edit.value) });
  }
  return [...replaced.values(), ...[...containers.values()].flatMap(containerSplices)];
}

function find(source: string, edit: { readonly op: 'set' | 'remove'; readonly pointer: string }): Location {
  const tokens = parsePointer(edit.pointer);
  const location = tokens === null || tokens.length === 0 ? null : locate(source, tokens);
  const mayAppend = edit.op === 'set' && location?.container.isObject === true;
  if (location !== null && (location.member !== undefined || mayAppend)) return location;
  throw new RedactionError(
    'unknown_pointer',
    'Expected a pointer into the document, found one that leads nowhere; create its parent first.',
  );
}

function lastToken(pointer: string): string {
  return parsePointer(pointer)?.at(-1) ?? '';
}

/** Removals take one comma each with them; new members follow the last one that stays. */
function containerSplices({ container, removed, appended }: ContainerEdits): Splice[] {
  const { members, open } = container;
  const kept = members.filter((member) => !removed.has(member.name));
  const lastKept = kept.at(-1);
  const splices: Splice[] = [];
  for (const [i, member] of members.entries()) {
    if (!removed.has(member.name)) continue;
    const next = members[i + 1];
    // Everything up to the next member, except behind the last kept one, where the comma before has to go instead.
    const isTail = lastKept !== undefined && member.start > lastKept.start;
    splices.push(
      isTail
        ? { start: members[i - 1]?.end ?? open + 1, end: member.end, text: '' }
        : { start: member.start, end: next?.start ?? member.end, text: '' },
    );
  }
  if (appended.size > 0) {
    const added = [...appended].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
    const at = lastKept?.end ?? open + 1;
    splices.unshift({ start: at, end: at, text: lastKept === undefined ? added : `,${added}` });
  }
  return splices;
}
