/**
 * Tool calls of a streamed answer, put together from their fragments. They are checked whole: a rewritten call travels in
 * the event of its first fragment, and its other fragments become empty.
 * Source: OpenAI API reference, `choices[].delta.tool_calls[]` (index, id, function.name, function.arguments).
 */
import type { DocumentEdit, JsonDocument, JsonValue } from '../../redaction/index.ts';

export interface ToolCall {
  readonly name: string;
  readonly arguments: string;
}

interface Fragment {
  readonly document: JsonDocument;
  readonly pointer: string;
  readonly text: string;
}

interface OpenCall {
  name: string;
  readonly fragments: Fragment[];
}

/** Where a fragment's text can stand inside one tool-call delta, besides the legacy `function_call`. */
const TEXTS = [
  ['function', 'arguments'],
  ['custom', 'input'],
] as const;

export class ToolCalls {
  readonly #open = new Map<string, OpenCall>();

  /** Takes the fragments of one delta; returns the pointers of their texts. */
  accept(document: JsonDocument, choice: number, base: string, fields: Readonly<Record<string, JsonValue>>): string[] {
    const calls = Array.isArray(fields['tool_calls']) ? fields['tool_calls'] : [];
    const found = calls.flatMap((call, i) => {
      const { index } = record(call);
      const id = `${choice}/${typeof index === 'number' ? index : i}`;
      return TEXTS.flatMap(([holder, field]) =>
        this.#fragment(document, id, record(record(call)[holder]), field, `${base}/delta/tool_calls/${i}/${holder}`),
      );
    });
    const legacy = fields['function_call'];
    if (legacy === undefined) return found;
    return [
      ...found,
      ...this.#fragment(document, `${choice}/legacy`, record(legacy), 'arguments', `${base}/delta/function_call`),
    ];
  }

  calls(): ToolCall[] {
    return [...this.#open.values()].map((call) => ({ name: call.name, arguments: join(call) }));
  }

  /** The edits that turn each call's text into what `clean` makes of it. */
  rewrite(clean: (text: string, pointer: string) => string): { document: JsonDocument; edit: DocumentEdit }[] {
    return [...this.#open.values()].flatMap((call, position) => {
      const text = join(call);
      const cleaned = clean(text, `/choices/0/message/tool_calls/${position}/function/arguments`);
      if (cleaned === text) return [];
      return call.fragments.map(({ document, pointer }, i) => ({
        document,
        edit: { op: 'set' as const, pointer, value: i === 0 ? cleaned : '' },
      }));
    });
  }

  #fragment(
    document: JsonDocument,
    id: string,
    holder: Record<string, JsonValue>,
    field: string,
    base: string,
  ): string[] {
    const text = holder[field];
    const name = holder['name'];
    if (typeof text !== 'string' && typeof name !== 'string') return [];
    const call = this.#open.get(id) ?? { name: '', fragments: [] };
    this.#open.set(id, call);
    if (typeof name === 'string') call.name += name;
    if (typeof text !== 'string') return [];
    call.fragments.push({ document, pointer: `${base}/${field}`, text });
    return [`${base}/${field}`];
  }
}

function join(call: OpenCall): string {
  return call.fragments.map((fragment) => fragment.text).join('');
}

function record(value: JsonValue | undefined): Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
