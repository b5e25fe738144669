/** Tools and the choice among them, from OpenAI's shape to Anthropic's. */
import { untranslatable } from './refusal.ts';
import { isObject, toJson } from '../json.ts';
import type { JsonObject, JsonText } from '../json.ts';

/** @throws GatewayError invalid_request for anything but function tools */
export function translateTools(tools: unknown): JsonText | undefined {
  if (tools === undefined || tools === null) return undefined;
  if (!Array.isArray(tools)) throw untranslatable('tools', 'a list of function tools');
  return tools.length === 0 ? undefined : toJson(tools.map((tool, index) => translateTool(tool, index)));
}

function translateTool(tool: unknown, index: number): JsonObject {
  const definition = isObject(tool) && tool['type'] === 'function' ? tool['function'] : null;
  if (!isObject(tool) || !isObject(definition) || typeof definition['name'] !== 'string') {
    throw untranslatable(`tools[${index}]`, 'a tool of type "function" with a name');
  }
  const parameters = definition['parameters'];
  return {
    name: definition['name'],
    ...(typeof definition['description'] === 'string' ? { description: definition['description'] } : {}),
    input_schema: isObject(parameters) ? parameters : { type: 'object', properties: {} },
    ...(definition['strict'] === true ? { strict: true } : {}),
    ...(isObject(tool['cache_control']) ? { cache_control: tool['cache_control'] } : {}),
  };
}

/** `tool_choice`, with `parallel_tool_calls: false` folded in as `disable_parallel_tool_use`. */
export function translateToolChoice(request: JsonObject): JsonText | undefined {
  const { tools } = request;
  const offered = Array.isArray(tools) && tools.length > 0;
  const serial = offered && request['parallel_tool_calls'] === false;
  const choice = chosen(request['tool_choice']) ?? (serial ? { type: 'auto' } : null);
  if (choice === null) return undefined;
  return toJson(serial && choice.type !== 'none' ? { ...choice, disable_parallel_tool_use: true } : choice);
}

function chosen(choice: unknown): { type: string; name?: string } | null {
  if (choice === undefined || choice === null) return null;
  if (choice === 'auto' || choice === 'none') return { type: choice };
  if (choice === 'required') return { type: 'any' };
  const named = isObject(choice) && choice['type'] === 'function' ? choice['function'] : null;
  if (isObject(named) && typeof named['name'] === 'string') return { type: 'tool', name: named['name'] };
  throw untranslatable('tool_choice', '"auto", "none", "required" or one function');
}
