/** Callers that never stop: streamed and not, some with personal data, some with a secret that may not leave. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Stopwatch } from './patience.ts';

/** What one caller was told. */
export interface Told {
  readonly marker: string;
  readonly call: string;
  readonly status: number;
  /** The whole answer arrived: a JSON body to its end, or a stream to its `[DONE]`. */
  readonly complete: boolean;
  /** `error.code`, also of an error event. */
  readonly code: string | null;
  readonly receipt: string | null;
}

type Body = { readonly messages: readonly object[]; readonly stream?: boolean };

const KINDS: readonly ((marker: string) => Body)[] = [
  (marker) => ({ messages: [{ role: 'user', content: `Hello, ${marker}.` }] }),
  (marker) => ({ messages: [{ role: 'user', content: `Hello, ${marker}.` }], stream: true }),
  (marker) => ({ messages: [{ role: 'user', content: `Write to anna.smith@example.org about ${marker}.` }] }),
  (marker) => ({
    messages: [{ role: 'user', content: `Call +1 415 555 2671 about ${marker}.` }],
    stream: true,
  }),
  (marker) => ({ messages: [{ role: 'user', content: `${marker}: my key is AKIAIOSFODNN7EXAMPLE.` }] }),
];

export class Load {
  readonly #servers: () => readonly string[];
  readonly #keys: readonly string[];
  readonly #random: () => number;
  #told: Told[] = [];
  #running = true;
  #paused = false;
  #busy = 0;
  /** Calls made, answered or not. */
  calls = 0;

  /** @param servers the gateways that serve at the moment */
  constructor(servers: () => readonly string[], keys: readonly string[], random: () => number) {
    this.#servers = servers;
    this.#keys = keys;
    this.#random = random;
  }

  start(callers: number): void {
    for (let caller = 0; caller < callers; caller += 1) void this.#work(caller);
  }

  resume(): void {
    this.#paused = false;
  }

  /** No new calls; resolves with the number of those that were not over in time. */
  async pause(patienceMs: number): Promise<number> {
    this.#paused = true;
    for (const watch = new Stopwatch(); this.#busy > 0 && watch.elapsedMs() < patienceMs;) await sleep(5);
    return this.#busy;
  }

  /** What callers were told since the last time. */
  take(): Told[] {
    const taken = this.#told;
    this.#told = [];
    return taken;
  }

  stop(): void {
    this.#running = false;
  }

  async #work(caller: number): Promise<void> {
    let n = 0;
    while (this.#running) {
      const url = this.#pick(this.#servers());
      if (this.#paused || url === undefined) {
        await sleep(5);
        continue;
      }
      n += 1;
      this.#busy += 1;
      this.calls += 1;
      const told = await this.#call(url, `marker-${String(caller)}-${String(n)}`).finally(() => (this.#busy -= 1));
      if (told !== null) this.#told.push(told);
      // Whoever is refused waits a little, as an SDK does.
      if (told === null || told.status >= 500) await sleep(10 + this.#random() * 20);
    }
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }

  /** Null when not even a status line came back. */
  async #call(url: string, marker: string): Promise<Told | null> {
    const body = { model: 'model', max_tokens: 50, ...this.#pick(KINDS)?.(marker) };
    const seen = { status: 0, call: '', receipt: null as string | null };
    let text = '';
    let whole = false;
    try {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#pick(this.#keys) ?? ''}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      seen.status = response.status;
      seen.call = response.headers.get('x-countersign-call') ?? '';
      seen.receipt = response.headers.get('x-countersign-receipt');
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString('latin1');
      whole = true;
    } catch {
      if (seen.status === 0) return null;
    }
    const complete = whole && (body.stream === true ? text.endsWith('data: [DONE]\n\n') : seen.status === 200);
    return { marker, ...seen, complete: seen.status === 200 && complete, code: codeOf(text) };
  }
}

function codeOf(text: string): string | null {
  return /"code":"([a-z_]+)"\}\}/.exec(text)?.[1] ?? null;
}
