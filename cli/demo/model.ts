import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSandboxUpstream } from '../../gateway/upstream/sandbox.ts';
import type { Deployment } from '../../gateway/upstream/upstream.ts';

/** The sandbox model behind HTTP, as a provider far away would be, so that what it received can be shown. */
export interface ObservedModel {
  readonly url: string;
  /** Text of the last user message it received. */
  readonly sawText: () => string;
  /** Pieces of the last answer it streamed. */
  readonly sentPieces: () => readonly string[];
  close(): Promise<void>;
}

const DEPLOYMENT: Deployment = {
  id: 'model/echo',
  provider: 'model',
  kind: 'sandbox',
  model: 'echo',
  baseUrl: '',
  apiKey: null,
  region: 'local',
  hosting: 'external',
  family: 'sandbox',
  retentionDays: null,
  trainsOnData: null,
  tags: [],
};
const TIMEOUTS = { connectMs: 1000, firstByteMs: 5000, idleMs: 5000 };
/** Small enough that a placeholder is always cut. */
const PIECE_CHARS = 5;

export async function startObservedModel(): Promise<ObservedModel> {
  const sandbox = createSandboxUpstream({ now: Date.now });
  let saw = '';
  let pieces: string[] = [];
  const server = createServer((request, response) => void respond(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readText(request);
    const { messages, stream } = JSON.parse(body) as { messages: { content: string }[]; stream?: boolean };
    saw = messages.at(-1)?.content ?? '';
    const signal = new AbortController().signal;
    // Asked for whole and cut here: the pieces of a real provider do not end at words either.
    const whole = body.replace('"stream":true', '"stream":false');
    const call = {
      deployment: DEPLOYMENT,
      body: whole,
      stream: false,
      callId: 'demo',
      headers: {},
      signal,
      timeouts: TIMEOUTS,
    };
    const answer = (await (await sandbox.send(call)).body()).toString('utf8');
    if (stream !== true) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
      return;
    }
    const content =
      (JSON.parse(answer) as { choices: { message: { content: string } }[] }).choices[0]?.message.content ?? '';
    pieces = content.match(new RegExp(`[^]{1,${String(PIECE_CHARS)}}`, 'g')) ?? [];
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(eventsOf(pieces, answer));
  }

  return {
    url: `http://127.0.0.1:${String(port)}/v1`,
    sawText: () => saw,
    sentPieces: () => pieces,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function eventsOf(pieces: readonly string[], answer: string): string {
  const { usage } = JSON.parse(answer) as { usage: unknown };
  const common = { id: 'chatcmpl-demo', object: 'chat.completion.chunk', created: 0, model: 'echo' };
  const chunk = (delta: object, finish: string | null): object => ({
    ...common,
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const events = [
    ...pieces.map((content) => chunk({ content }, null)),
    chunk({}, 'stop'),
    { ...common, choices: [], usage },
  ];
  return `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`;
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
