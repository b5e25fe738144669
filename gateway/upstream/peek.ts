/**
 * Looks at the start of a stream before it counts as an answer: some providers send status 200 and then an error as
 * the first event. Such a stream becomes an ordinary error response, which can be retried or shown to the caller.
 */
import { statusOfError } from './error-status.ts';
import { UpstreamFailure } from './failure.ts';
import { isObject, parseObject } from './json.ts';
import type { SseEvent, UpstreamResponse } from './upstream.ts';

/** At most so many events without content are held back. */
const MAX_HELD = 16;

type Look = 'content' | 'empty' | 'error';

/**
 * Waits for the first event with content, for at most `holdMs` after the first event of any kind. An error before it
 * turns the response into one with the error's status and body; otherwise the events seen are given out first.
 * @throws what the stream throws before its first content
 */
export async function peekFirstEvent(response: UpstreamResponse, holdMs: number): Promise<UpstreamResponse> {
  if (response.status !== 200) return response;
  const source = response.events()[Symbol.asyncIterator]();
  const held: SseEvent[] = [];
  const pending = { next: source.next() };
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<null>((resolve) => {
    void pending.next.then(
      () => {
        timer = setTimeout(resolve, holdMs, null);
      },
      () => resolve(null),
    );
  });
  try {
    while (held.length < MAX_HELD) {
      const step = held.length === 0 ? await pending.next : await Promise.race([pending.next, timeUp]);
      if (step === null) break;
      if (step.done === true) {
        if (held.length === 0) throw new UpstreamFailure('bad_answer', true, 'an empty stream');
        break;
      }
      held.push(step.value);
      pending.next = source.next();
      // Whoever reads on will see it; until then a failure must not count as unhandled.
      pending.next.catch(() => undefined);
      const look = lookAt(step.value.data);
      if (look === 'content') break;
      if (look === 'error') {
        response.discard();
        return errorResponse(response, step.value.data ?? '');
      }
    }
  } finally {
    clearTimeout(timer);
  }
  return { ...facade(response), events: () => resume(held, pending.next, source, response) };
}

function facade(response: UpstreamResponse): UpstreamResponse {
  return {
    status: response.status,
    headers: response.headers,
    requestId: response.requestId,
    body: async () => response.body(),
    events: () => response.events(),
    discard: () => {
      response.discard();
    },
  };
}

async function* resume(
  held: SseEvent[],
  pending: Promise<IteratorResult<SseEvent, unknown>>,
  source: AsyncIterator<SseEvent>,
  response: UpstreamResponse,
): AsyncGenerator<SseEvent> {
  try {
    yield* held;
    for (let step = await pending; step.done !== true; step = await source.next()) yield step.value;
  } finally {
    response.discard();
  }
}

/** Whether an event carries an error, something for the reader, or neither (heartbeats, a role without content). */
function lookAt(data: string | null): Look {
  if (data === null) return 'empty';
  const chunk = parseObject(data);
  if (chunk === null) return 'content';
  if (isObject(chunk['error'])) return 'error';
  const { choices } = chunk;
  if (!Array.isArray(choices) || choices.length === 0) return 'content';
  return choices.every((choice) => isBare(choice)) ? 'empty' : 'content';
}

/** A choice whose delta says nothing yet: at most a role and empty or absent values. */
function isBare(choice: unknown): boolean {
  if (!isObject(choice) || (choice['finish_reason'] ?? null) !== null) return false;
  const delta = choice['delta'];
  if (!isObject(delta)) return false;
  return Object.entries(delta).every(([name, value]) => name === 'role' || value === null || value === '');
}

function errorResponse(response: UpstreamResponse, data: string): UpstreamResponse {
  const body = Buffer.from(data);
  return {
    status: statusOfError(parseObject(data)?.['error']),
    headers: { ...response.headers, 'content-type': 'application/json' },
    requestId: response.requestId,
    body: async () => Promise.resolve(body),
    events: () => {
      throw new UpstreamFailure('bad_answer', true, 'an error is not a stream');
    },
    discard: () => undefined,
  };
}
