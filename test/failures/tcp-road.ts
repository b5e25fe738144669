/** A TCP road to PostgreSQL that fails without saying so, as firewalls, dead hosts and crashed proxies do. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Connection } from '../../cli/embedded/connection.ts';

export type Road =
  | 'open'
  /** Accepts, and never answers; what was connected is dead. */
  | 'silent'
  /** Accepts and closes at once; what was connected is cut. */
  | 'closing';

export class TcpRoad {
  readonly #target: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #road: Road = 'open';
  /** Connections made so far. */
  accepted = 0;
  /** Connections there are. */
  connected = 0;

  private constructor({ host, port }: Pick<Connection, 'host' | 'port'>) {
    this.#target = join(host, `.s.PGSQL.${String(port)}`);
    this.#server = createServer((client) => {
      this.#accept(client);
    });
  }

  static async start(place: Pick<Connection, 'host' | 'port'>): Promise<TcpRoad> {
    const road = new TcpRoad(place);
    road.#server.listen(0, '127.0.0.1');
    await once(road.#server, 'listening');
    return road;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The same database by way of this road. */
  reach = (connection: Connection): Connection => ({ ...connection, host: '127.0.0.1', port: this.port });

  set(road: Road): void {
    this.#road = road;
    if (road === 'silent') this.lose();
    if (road === 'closing') for (const socket of this.#sockets) socket.destroy();
  }

  /** What is connected will never hear anything again; new connections are not concerned. */
  lose(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('data').pause();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    this.connected += 1;
    this.#keep(client).on('close', () => (this.connected -= 1));
    if (this.#road === 'closing') client.end();
    if (this.#road !== 'open') return;
    const server = this.#keep(connect(this.#target));
    client.on('data', (chunk) => server.write(chunk)).on('close', () => server.destroy());
    server.on('data', (chunk) => client.write(chunk)).on('close', () => client.destroy());
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined);
  }
}
