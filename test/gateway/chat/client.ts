/** A client on bare node:http that keeps everything of an answer, and one on a bare socket that keeps every byte. */
import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export type Json = { [key: string]: unknown };

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly text: string;
  /** The answer came over a connection that was used before. */
  readonly reused: boolean;
  /** 100 when the server asked for the body first. */
  readonly interim: number | null;
  /** False when the connection broke before the end of the answer. */
  readonly complete: boolean;
}

export interface SendOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces are sent as chunks; one Buffer or text with its length. */
  readonly body?: string | Buffer | readonly (string | Buffer)[];
  readonly agent?: Agent;
}

export function send(baseUrl: string, options: SendOptions): Promise<Answer> {
  const { method = 'POST', path = '/v1/chat/completions', headers = {}, body = '', agent = new Agent() } = options;
  const pieces = typeof body === 'string' || Buffer.isBuffer(body) ? null : body;
  const length = pieces === null ? { 'content-length': String(Buffer.byteLength(body as string | Buffer)) } : {};
  return new Promise((resolve, reject) => {
    let interim: number | null = null;
    const outgoing = request(`${baseUrl}${path}`, { method, agent, headers: { ...length, ...headers } });
    outgoing.on('continue', () => {
      interim = 100;
    });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('error', () => undefined);
      incoming.on('close', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          rawHeaders: incoming.rawHeaders,
          text: Buffer.concat(parts).toString('utf8'),
          reused: outgoing.reusedSocket,
          interim,
          complete: incoming.complete,
        }),
      );
    });
    if (pieces === null) {
      outgoing.end(body);
    } else {
      void (async () => {
        for (const piece of pieces) {
          outgoing.write(piece);
          await delay(5);
        }
        outgoing.end();
      })();
    }
  });
}

export function json(answer: Answer): Json {
  return JSON.parse(answer.text) as Json;
}

/** The `error` object of an answer in OpenAI's shape. */
export function errorOf(answer: Answer): Json {
  return json(answer)['error'] as Json;
}

/** The first choice's text. */
export function contentOf(answer: Answer): string | null {
  const [choice] = json(answer)['choices'] as { message: { content: string | null } }[];
  return choice?.message.content ?? null;
}

/** The events of a stream as they were framed, without their blank lines. */
export function eventsOf(answer: Answer): string[] {
  return answer.text.split('\n\n').filter((event) => event !== '');
}

export function chunksOf(answer: Answer): Json[] {
  return eventsOf(answer)
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.replaceAll(/^data: /gm, '')) as Json);
}

/** The text of one choice of a stream. */
export function streamedText(answer: Answer, index = 0): string {
  type Choices = { index: number; delta: { content?: string | null } }[];
  return chunksOf(answer)
    .flatMap((chunk) => ((chunk['choices'] ?? []) as Choices).filter((choice) => choice.index === index))
    .map(({ delta }) => delta.content ?? '')
    .join('');
}

/** Writes bytes on a socket and collects what comes back until `until` says it is enough or the peer closes. */
export function exchange(baseUrl: string, bytes: string | Buffer, until: (seen: string) => boolean): Promise<string> {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve, reject) => {
    let seen = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setTimeout(20_000, () => socket.destroy(new Error(`nothing more after ${JSON.stringify(seen)}`)));
    socket.on('error', reject);
    socket.on('data', (part) => {
      seen += part.toString('latin1');
      if (until(seen)) socket.destroy();
    });
    socket.on('close', () => resolve(seen));
  });
}
