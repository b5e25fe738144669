/**
 * The load generator, in a process of its own: closed loop (each connection sends its next request when it has the
 * answer), keep-alive sockets, one clock with sub-microsecond resolution. It ends by letting every connection finish, so
 * the number of requests is exact.
 */
import { connect, type Socket } from 'node:net';
import { ResponseReader, type Answer } from './http-response.ts';
import { percentile, Samples } from './statistics.ts';

export interface LoadJob {
  readonly host: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent in turn. */
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** Measure the first streamed token instead of the whole answer. */
  readonly firstToken: boolean;
  /** Collect `server-timing`; costs time, so never while comparing. */
  readonly stages: boolean;
}

export interface LoadResult {
  readonly requests: number;
  readonly non2xx: number;
  /** Connections that broke. */
  readonly broken: number;
  /** First unexpected answer, for the message. */
  readonly firstProblem: string | null;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** p50 of each `server-timing` entry, in µs, in the order of the header. */
  readonly stagesUs: Readonly<Record<string, number>>;
}

/** A content delta that is not empty. */
const TOKEN = /"content":"[^"]/;

class Run {
  readonly samples = new Samples();
  readonly stages = new Map<string, Samples>();
  readonly #texts: readonly Buffer[];
  #next = 0;
  readonly job: LoadJob;
  requests = 0;
  non2xx = 0;
  broken = 0;
  firstProblem: string | null = null;
  stopping = false;

  constructor(job: LoadJob) {
    this.job = job;
    const headers = Object.entries({ ...job.headers, 'content-type': 'application/json' });
    const head =
      `POST /v1/chat/completions HTTP/1.1\r\nhost: ${job.host}:${job.port}\r\n` +
      headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.#texts = job.bodies.map((body) =>
      Buffer.from(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
    );
  }

  request(): Buffer {
    const text = this.#texts[this.#next % this.#texts.length] ?? Buffer.alloc(0);
    this.#next += 1;
    return text;
  }

  /** Drives one connection until the time is over; resolves when its last answer is complete. */
  drive(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect({ host: this.job.host, port: this.job.port, noDelay: true });
      let startedMs = 0;
      let tokenMs = 0;
      const onBody = (bytes: Buffer): void => {
        if (tokenMs === 0 && TOKEN.test(bytes.toString('latin1'))) tokenMs = performance.now();
      };
      const reader = new ResponseReader(this.job.firstToken ? onBody : null);
      const send = (): void => {
        tokenMs = 0;
        startedMs = performance.now();
        socket.write(this.request());
      };
      socket.on('connect', send);
      socket.on('data', (bytes: Buffer) => {
        const answer = reader.push(bytes);
        if (answer === null) return;
        this.count(answer, (this.job.firstToken ? tokenMs : performance.now()) - startedMs);
        if (this.stopping) socket.end();
        else send();
      });
      this.#watch(socket, resolve);
    });
  }

  #watch(socket: Socket, resolve: () => void): void {
    socket.on('error', (error) => {
      this.firstProblem ??= error.message;
    });
    socket.on('close', () => {
      if (!this.stopping) this.broken += 1;
      resolve();
    });
  }

  count(answer: Answer, elapsedMs: number): void {
    this.requests += 1;
    if (answer.status < 200 || answer.status > 299) {
      this.non2xx += 1;
      this.firstProblem ??= `status ${answer.status}`;
    } else if (elapsedMs < 0) {
      this.firstProblem ??= 'a stream without a token';
      this.non2xx += 1;
    } else {
      this.samples.add(elapsedMs * 1000);
    }
    if (this.job.stages) this.#countStages(answer.head);
  }

  #countStages(head: string): void {
    const header = /\r\nserver-timing: *([^\r]*)/.exec(head)?.[1] ?? '';
    for (const [, name = '', ms] of header.matchAll(/([a-z0-9_-]+);dur=([\d.]+)/g)) {
      const samples = this.stages.get(name) ?? new Samples();
      samples.add(Number(ms) * 1000);
      this.stages.set(name, samples);
    }
  }
}

async function runLoad(job: LoadJob): Promise<LoadResult> {
  const run = new Run(job);
  const startedMs = performance.now();
  const timer = setTimeout(() => {
    run.stopping = true;
  }, job.seconds * 1000);
  await Promise.all(Array.from({ length: job.connections }, () => run.drive()));
  clearTimeout(timer);
  const ascending = run.samples.sorted();
  return {
    requests: run.requests,
    non2xx: run.non2xx,
    broken: run.broken,
    firstProblem: run.firstProblem,
    seconds: (performance.now() - startedMs) / 1000,
    p50Us: percentile(ascending, 0.5),
    p99Us: percentile(ascending, 0.99),
    stagesUs: Object.fromEntries([...run.stages].map(([name, samples]) => [name, percentile(samples.sorted(), 0.5)])),
  };
}

process.on('message', (job: LoadJob) => {
  void runLoad(job).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
