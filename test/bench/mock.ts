/**
 * The model server of the benchmark, in a process of its own. It answers from prepared bytes on a bare socket: the time
 * and the processor it takes are the same small amount behind every target.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';

const COMPLETION = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_790_000_000,
  model: 'bench-model',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Your ticket is open and will be answered today.' },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 48, completion_tokens: 12, total_tokens: 60 },
});

const STREAM_CHUNKS = 20;

const chunk = (fields: object): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1_790_000_000, model: 'bench-model', ...fields })}\n\n`;
const delta = (fields: object, finish: string | null = null): string =>
  chunk({ choices: [{ index: 0, delta: fields, finish_reason: finish }] });

const EVENTS = [
  delta({ role: 'assistant', content: '' }),
  ...Array.from({ length: STREAM_CHUNKS }, (_, index) => delta({ content: `word${index} ` })),
  delta({}, 'stop'),
  chunk({
    choices: [],
    usage: { prompt_tokens: 48, completion_tokens: STREAM_CHUNKS, total_tokens: 48 + STREAM_CHUNKS },
  }),
  'data: [DONE]\n\n',
];

const WHOLE_ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(COMPLETION)}\r\nconnection: keep-alive\r\n\r\n${COMPLETION}`,
);
const STREAM_HEAD = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n',
);
const STREAM_EVENTS = EVENTS.map((event) => Buffer.from(`${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`));
const STREAM_END = Buffer.from('0\r\n\r\n');

let requests = 0;

/** Splits a connection into requests; bodies with a length or in chunks, which is all that clients of a gateway send. */
function serve(socket: Socket): void {
  let buffered: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    buffered = buffered.length === 0 ? bytes : Buffer.concat([buffered, bytes]);
    for (let end = requestEnd(buffered); end !== -1; end = requestEnd(buffered)) {
      const streamed = buffered.subarray(0, end).includes('"stream":true');
      buffered = buffered.subarray(end);
      requests += 1;
      if (streamed) answerStream(socket);
      else socket.write(WHOLE_ANSWER);
    }
  });
}

function requestEnd(bytes: Buffer): number {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return -1;
  const head = bytes.toString('latin1', 0, headEnd).toLowerCase();
  if (head.includes('\r\ntransfer-encoding: chunked')) {
    const last = bytes.indexOf('0\r\n\r\n', headEnd + 2);
    return last === -1 ? -1 : last + 5;
  }
  const end = headEnd + 4 + Number(/\r\ncontent-length: *(\d+)/.exec(head)?.[1] ?? 0);
  return bytes.length < end ? -1 : end;
}

/** One write per event, as a model sends them, but without a pause. */
function answerStream(socket: Socket): void {
  socket.write(STREAM_HEAD);
  for (const event of STREAM_EVENTS) socket.write(event);
  socket.write(STREAM_END);
}

const server = createServer(serve);
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () => process.send?.({ requests }));
process.on('disconnect', () => process.exit(0));
