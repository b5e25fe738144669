/**
 * Token counts of one call. `input_tokens` and `output_tokens` are totals; every other count is a part of one of them.
 */
export interface Usage {
  /** The whole prompt, cached parts included. */
  readonly input_tokens: number;
  /** Part of `input_tokens` read from the provider's cache. */
  readonly cached_input_tokens: number;
  /** Part of `input_tokens` written to the provider's cache. */
  readonly cache_write_tokens: number;
  /** Part of `cache_write_tokens` kept for an hour. */
  readonly cache_write_1h_tokens?: number;
  /** Part of `input_tokens` that is audio; not also counted as cached. */
  readonly input_audio_tokens?: number;
  /** Everything generated, reasoning included. */
  readonly output_tokens: number;
  /** Part of `output_tokens` that is audio. */
  readonly output_audio_tokens?: number;
  /** True when the counts are ours and not the provider's: aborted or interrupted streams, missing usage. */
  readonly estimated: boolean;
}

/** Most tokens any model is assumed to read, for inputs whose size the gateway cannot see. */
const LARGEST_CONTEXT_TOKENS = 2_000_000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the usage of an OpenAI-shaped answer or stream chunk, or of the bare usage object. Compatible providers count
 * differently; each rule below names who does:
 * - cached tokens are inside `prompt_tokens` (OpenAI, Azure, vLLM); as `prompt_cache_hit_tokens` (DeepSeek) or
 *   `cached_tokens` (Moonshot) in the usage itself; or beside it (translated Anthropic usage): recognised by the total;
 * - reasoning tokens are inside `completion_tokens` (OpenAI), or beside it (xAI, Gemini): recognised by the total;
 * - the last chunk carries `x_groq.usage` instead of `usage` (Groq).
 *
 * @returns null when the counts are missing or not integers ≥ 0: the caller estimates and says so
 */
export function usageFromOpenAi(json: unknown): Usage | null {
  const root = fields(json);
  const usage = fields(root['usage'] ?? fields(root['x_groq'])['usage'] ?? ('prompt_tokens' in root ? root : null));
  const prompt = count(usage['prompt_tokens']);
  const total = count(usage['total_tokens']);
  const completion = count(usage['completion_tokens']) ?? (total === null || prompt === null ? null : total - prompt);
  if (prompt === null || completion === null || completion < 0) return null;
  return assemble(prompt, completion, total, readParts(usage));
}

interface Parts {
  readonly cached: number;
  readonly write: number;
  readonly hourWrite: number;
  readonly inputAudio: number;
  readonly outputAudio: number;
  readonly reasoning: number;
}

function readParts(usage: Fields): Parts {
  const prompt = fields(usage['prompt_tokens_details']);
  const completion = fields(usage['completion_tokens_details']);
  const creation = fields(usage['cache_creation']);
  const hourWrite = count(creation['ephemeral_1h_input_tokens']) ?? 0;
  const split = hourWrite + (count(creation['ephemeral_5m_input_tokens']) ?? 0);
  const write = first(
    prompt['cache_write_tokens'],
    prompt['cache_creation_tokens'],
    usage['cache_creation_input_tokens'],
  );
  return {
    cached: first(
      prompt['cached_tokens'],
      usage['cache_read_input_tokens'],
      usage['prompt_cache_hit_tokens'],
      usage['cached_tokens'],
    ),
    write: Math.max(write, split),
    hourWrite,
    inputAudio: count(prompt['audio_tokens']) ?? 0,
    outputAudio: count(completion['audio_tokens']) ?? 0,
    reasoning: count(completion['reasoning_tokens']) ?? 0,
  };
}

/** Turns counts that may overlap or lie beside each other into totals with parts that fit; in doubt, nothing is left out. */
function assemble(prompt: number, completion: number, total: number | null, parts: Parts): Usage | null {
  const cache = parts.cached + parts.write;
  const beside = Math.max(0, (total ?? 0) - prompt - completion);
  const cacheBeside = cache > prompt || (beside > 0 && beside === cache && beside !== parts.reasoning);
  const input = prompt + (cacheBeside ? cache : 0);
  const output = completion + Math.max(0, beside - (cacheBeside ? cache : 0));
  if (!Number.isSafeInteger(input) || !Number.isSafeInteger(output)) return null;
  const inputAudio = Math.min(parts.inputAudio, input - parts.write);
  return {
    input_tokens: input,
    // Audio that was also cached is charged as audio: the report does not say how the two overlap.
    cached_input_tokens: Math.min(parts.cached, input - parts.write - inputAudio),
    cache_write_tokens: parts.write,
    ...(parts.hourWrite > 0 ? { cache_write_1h_tokens: Math.min(parts.hourWrite, parts.write) } : {}),
    ...(inputAudio > 0 ? { input_audio_tokens: inputAudio } : {}),
    output_tokens: output,
    ...(parts.outputAudio > 0 ? { output_audio_tokens: Math.min(parts.outputAudio, output) } : {}),
    estimated: false,
  };
}

/** The service tier the provider says it used, or null when the answer names none. */
export function serviceTierFromOpenAi(json: unknown): string | null {
  const tier = fields(json)['service_tier'];
  return typeof tier === 'string' && /^[a-z0-9_-]{1,32}$/.test(tier) ? tier : null;
}

/** Usage by our own count, where the provider reported none. Nothing is assumed to have been cached. */
export function estimatedUsage(counts: { readonly inputTokens: number; readonly outputTokens: number }): Usage {
  return {
    input_tokens: counts.inputTokens,
    cached_input_tokens: 0,
    cache_write_tokens: 0,
    output_tokens: counts.outputTokens,
    estimated: true,
  };
}

/** About how many tokens a text of this many UTF-8 bytes has: four bytes a token, rounded up. An estimate, no bound. */
export function estimateTokens(utf8Bytes: number): number {
  return Math.ceil(utf8Bytes / 4);
}

/**
 * An upper bound of the input tokens of a request: byte-level tokenizers never make more tokens than bytes, and the JSON
 * around each message is longer than the tokens a chat template adds. What the provider fetches or expands itself
 * (images, files, remote URLs) is bounded by the model's context only.
 *
 * @param request.bodyBytes UTF-8 bytes of the enforced body
 * @param request.attachments number of parts that are not text
 */
export function inputTokenBound(
  request: { readonly bodyBytes: number; readonly attachments: number },
  price: { readonly contextTokens: number | null },
): number {
  if (request.attachments === 0) return request.bodyBytes;
  return Math.max(request.bodyBytes, price.contextTokens ?? LARGEST_CONTEXT_TOKENS);
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** The first of several spellings that holds a count. */
function first(...values: readonly unknown[]): number {
  return values.map(count).find((value) => value !== null) ?? 0;
}
