/** A model server that remembers every request: what arrived is what was sent, whoever died meanwhile. */
import { hash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer } from '../support/mock-answer.ts';

export interface Arrival {
  /** The call's id as the gateway names it to the provider. */
  readonly call: string;
  readonly digest: string;
  readonly marker: string;
}

export class Upstream {
  /** Since the last `take`. */
  #arrived: Arrival[] = [];
  readonly #server: Server;
  requests = 0;

  private constructor(random: () => number) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        this.requests += 1;
        this.#arrived.push({
          call: String(request.headers['x-client-request-id']),
          digest: hash('sha256', body, 'hex'),
          marker: /marker-\d+-\d+/.exec(body)?.[0] ?? '',
        });
        const timing = { delayMs: Math.floor(random() * 30), chunkDelayMs: Math.floor(random() * 4) };
        answer(request, response, body, timing).catch(() => response.destroy());
      });
      // A gateway that is killed cuts its connections.
      for (const stream of [request, response]) stream.on('error', () => undefined);
    });
  }

  static async start(random: () => number): Promise<Upstream> {
    const upstream = new Upstream(random);
    await new Promise<void>((resolve) => {
      upstream.#server.listen(0, '127.0.0.1', resolve);
    });
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/v1`;
  }

  take(): Arrival[] {
    const taken = this.#arrived;
    this.#arrived = [];
    return taken;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
