/** A service with Presidio's `/analyze` that knows some names; it can be told to misbehave. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Behaviour =
  'well' | 'down' | 'slow' | 'garbage' | 'elsewhere' | 'too few' | 'lower case' | 'unsure' | 'endless' | 'redirect';

export interface NameService {
  readonly url: string;
  readonly requests: {
    readonly headers: IncomingHttpHeaders;
    readonly body: { text: string[]; [name: string]: unknown };
  }[];
  behaviour: Behaviour;
  close(): Promise<void>;
}

const NAMES = /Jane Doe|Köln|Łukasz/gu;

function found(one: string, behaviour: Behaviour): unknown[] {
  return [...one.matchAll(NAMES)].map((match) => {
    const start = Array.from(one.slice(0, match.index)).length + (behaviour === 'elsewhere' ? 1000 : 0);
    return {
      analysis_explanation: null,
      entity_type: behaviour === 'lower case' ? 'person' : match[0] === 'Köln' ? 'LOCATION' : 'PERSON',
      start,
      end: start + Array.from(match[0]).length,
      score: behaviour === 'unsure' ? 0.1 : 0.85,
    };
  });
}

export async function startNameService(): Promise<NameService> {
  const requests: NameService['requests'] = [];
  const server = createServer((incoming, outgoing) => {
    void text(incoming).then((source) => {
      const body = JSON.parse(source) as NameService['requests'][number]['body'];
      requests.push({ headers: incoming.headers, body });
      const { behaviour } = service;
      if (behaviour === 'slow') return;
      if (behaviour === 'down') return void outgoing.writeHead(500).end('{"error":"No"}');
      if (behaviour === 'redirect') return void outgoing.writeHead(307, { location: '/elsewhere' }).end();
      if (behaviour === 'garbage') return void outgoing.end('{"not": "a list"}');
      if (behaviour === 'endless') return void outgoing.end(`[${' '.repeat(17 * 1024 * 1024)}]`);
      const answers = body.text.map((one) => found(one, behaviour));
      outgoing.end(JSON.stringify(behaviour === 'too few' ? answers.slice(1) : answers));
    });
  });
  const service: NameService = {
    url: '',
    requests,
    behaviour: 'well',
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(service, { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` });
}
