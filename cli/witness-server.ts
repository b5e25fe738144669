import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { MAX_REQUEST_BYTES, type Witness } from '../ledger/index.ts';
import { CliError, errno } from './errors.ts';

/** A slower caller holds a connection for nothing. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 256;

export interface WitnessServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `POST /add-checkpoint`, and `GET /checkpoint/<digest>` for a log that has lost its memory. What it answers is public; whoever
 * can reach it can only ask for what the log signed.
 *
 * @throws CliError `port_in_use`
 */
export async function serveWitness(
  witness: Witness,
  { host, port, onError }: { readonly host: string; readonly port: number; readonly onError: (error: unknown) => void },
): Promise<WitnessServer> {
  const server = createServer({ maxHeaderSize: 8192, requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(witness, request, response).catch((error: unknown) => {
      onError(error);
      send(response, 500, 'text/plain; charset=utf-8', 'the state could not be read or written\n');
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = 50;
  await listen(server, host, port);
  const address = server.address();
  const bound = address === null || typeof address === 'string' ? port : address.port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${String(bound)}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await closed;
    },
  };
}

async function answer(witness: Witness, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = 'text/plain; charset=utf-8';
  if (request.method === 'GET' && request.url?.startsWith('/checkpoint/') === true) {
    const { status, contentType, body } = await witness.checkpoint(request.url);
    return send(response, status, contentType, body);
  }
  if (request.url !== '/add-checkpoint')
    return send(response, 404, text, 'there is only /add-checkpoint, and /checkpoint/<SHA-256 of an origin>\n');
  if (request.method !== 'POST') return send(response, 405, text, 'expected POST\n');
  const body = await readBody(request);
  if (body === null) return send(response, 413, text, `expected at most ${String(MAX_REQUEST_BYTES)} bytes\n`);
  const { status, contentType, body: said } = await witness.addCheckpoint(body);
  send(response, status, contentType, said);
}

/** Null for a body that is too long; the rest of it is not read. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_REQUEST_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  if (response.headersSent) return;
  // After a body that was not read the connection cannot be used again.
  if (status === 413) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new CliError(
          'port_in_use',
          `Expected to listen on ${host}:${String(port)}, could not (${errno(cause) ?? 'unknown'}). Choose another --listen.`,
          { cause },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
}
