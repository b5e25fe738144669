/**
 * Takes tools out of a request, and with them whatever would point into the void: a provider refuses a choice of a tool
 * that is not offered. Both ways of offering count, `tools` and the older `functions`.
 * Source: OpenAI API reference, "Create chat completion": tools, tool_choice, functions, function_call.
 */
import type { DocumentEdit } from '../../redaction/index.ts';
import type { ClassifiedExchange, OfferedTool, ToolList } from '../exchange.ts';

export interface ToolEdits {
  readonly edits: readonly DocumentEdit[];
  /** What is gone: nothing below needs another edit. */
  readonly pointers: readonly string[];
  readonly names: readonly string[];
}

/** What chooses among the tools of a list, and what else makes no sense without any. */
const CHOICE: Readonly<Record<ToolList, { readonly choice: string; readonly others: readonly string[] }>> = {
  tools: { choice: 'tool_choice', others: ['parallel_tool_calls'] },
  functions: { choice: 'function_call', others: [] },
};

/** The edits that take the tools named in `strip` out; `*` stands for all of them. */
export function stripTools(exchange: ClassifiedExchange, strip: readonly string[]): ToolEdits {
  const offered = exchange.chat.tools;
  const names = new Set(strip);
  const hit = offered.filter((tool) => names.has(tool.name) || names.has('*'));
  if (hit.length === 0) return { edits: [], pointers: [], names: [] };
  const body = exchange.document.value as Record<string, unknown>;
  const edits = (['tools', 'functions'] as const).flatMap((list) => listEdits(list, offered, hit, body));
  const pointers = edits.map((edit) => (edit.op === 'text' ? '' : edit.pointer));
  return { edits, pointers, names: [...new Set(hit.map((tool) => tool.name))] };
}

function listEdits(
  list: ToolList,
  offered: readonly OfferedTool[],
  hit: readonly OfferedTool[],
  body: Readonly<Record<string, unknown>>,
): DocumentEdit[] {
  const places = indexes(list, hit);
  if (places.length === 0) return [];
  const { choice, others } = CHOICE[list];
  if (places.length === indexes(list, offered).length) {
    const orphaned = [choice, ...others].filter((field) => field in body);
    return [list, ...orphaned].map((field) => ({ op: 'remove', pointer: `/${field}` }));
  }
  return [
    ...places.map((index): DocumentEdit => ({ op: 'remove', pointer: `/${list}/${index}` })),
    ...choiceEdits(choice, body[choice], new Set(hit.map((tool) => tool.name))),
  ];
}

/** A tool with several names stands in the list once. */
function indexes(list: ToolList, tools: readonly OfferedTool[]): number[] {
  return [...new Set(tools.filter((tool) => tool.list === list).map((tool) => tool.index))];
}

function choiceEdits(field: string, choice: unknown, gone: ReadonlySet<string>): DocumentEdit[] {
  const allowed = record(record(choice)['allowed_tools'])['tools'];
  if (Array.isArray(allowed)) {
    const places = allowed.flatMap((tool: unknown, i) => (namesOneOf(tool, gone) ? [i] : []));
    // Without a restriction the model could choose what the caller had excluded.
    return places.length > 0 && places.length === allowed.length
      ? [{ op: 'set', pointer: `/${field}`, value: 'none' }]
      : places.map((i) => ({ op: 'remove', pointer: `/${field}/allowed_tools/tools/${i}` }));
  }
  return namesOneOf(choice, gone) ? [{ op: 'remove', pointer: `/${field}` }] : [];
}

/** Whether a choice, or an element of one, is about such a tool, by any of the names it may carry. */
function namesOneOf(choice: unknown, gone: ReadonlySet<string>): boolean {
  const { name, function: called, custom, type } = record(choice);
  return [name, record(called)['name'], record(custom)['name'], type].some(
    (candidate) => typeof candidate === 'string' && gone.has(candidate),
  );
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
