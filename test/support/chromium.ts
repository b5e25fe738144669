import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** The browser's command, or null with the reason printed. In CI (COUNTERSIGN_NO_SKIP=1) a missing one fails. */
export function findChromium(): string | null {
  for (const command of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      execFileSync(command, ['--version'], { stdio: 'pipe' });
      return command;
    } catch {
      continue;
    }
  }
  const reason =
    'no Chromium is installed (Debian: apt-get install chromium): the verifier\u2019s page is not checked in a browser';
  if (process.env['COUNTERSIGN_NO_SKIP'] === '1') throw new TypeError(reason);
  process.stderr.write(`skipped: ${reason}\n`);
  return null;
}

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly request?: { readonly url: string } };
  readonly result?: { readonly [name: string]: unknown };
  readonly error?: { readonly message: string };
}

/** A page in a browser without a network, spoken to over a pipe (Chrome DevTools Protocol). */
export class BrowserPage {
  readonly #write: Writable;
  readonly #close: () => Promise<void>;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #session: string | null = null;
  #next = 1;
  /** Addresses the page asked for. */
  readonly requested: string[] = [];

  private constructor(read: Readable, write: Writable, close: () => Promise<void>) {
    this.#write = write;
    this.#close = close;
    let rest = '';
    read.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString('utf8')).split('\0');
      rest = parts.pop() ?? '';
      for (const part of parts) this.#hear(JSON.parse(part) as Reply);
    });
  }

  static async open(command: string, file: string): Promise<BrowserPage> {
    const profile = mkdtempSync(join(tmpdir(), 'countersign-chromium-'));
    const flags = [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND', '--remote-debugging-pipe', `--user-data-dir=${profile}`,
    ]; // prettier-ignore
    const child = spawn(command, [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const page = new BrowserPage(child.stdio[4] as Readable, child.stdio[3] as Writable, async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    });
    await page.#attach(`file://${file}`);
    return page;
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** Chooses files, or one folder, for an input; none empties it. A folder is there when the input says that it changed. */
  async choose(selector: string, ...paths: readonly string[]): Promise<void> {
    const input = `document.querySelector(${JSON.stringify(selector)})`;
    await this.evaluate(`${input}.value = ''`);
    if (paths.length === 0) return;
    const changed = this.evaluate(`new Promise((done) => ${input}.addEventListener('change', () => done(), { once: true }))`); // prettier-ignore
    const { root } = (await this.#ask('DOM.getDocument')) as { root: { nodeId: number } };
    const { nodeId } = (await this.#ask('DOM.querySelector', { nodeId: root.nodeId, selector })) as { nodeId: number };
    await this.#ask('DOM.setFileInputFiles', { files: paths, nodeId });
    await changed;
  }

  /** The value of an expression; a promise is waited for. */
  async evaluate(expression: string): Promise<unknown> {
    const parameters = { expression, awaitPromise: true, returnByValue: true };
    const answer = (await this.#ask('Runtime.evaluate', parameters)) as {
      result: { value?: unknown };
      exceptionDetails?: object;
    };
    if (answer.exceptionDetails !== undefined) throw new TypeError(JSON.stringify(answer.exceptionDetails));
    return answer.result.value;
  }

  async #attach(url: string): Promise<void> {
    const { targetInfos } = (await this.#ask('Target.getTargets')) as {
      targetInfos: { targetId: string; type: string }[];
    };
    const target = targetInfos.find(({ type }) => type === 'page')?.targetId;
    const attached = await this.#ask('Target.attachToTarget', { targetId: target, flatten: true });
    this.#session = String(attached['sessionId']);
    for (const domain of ['Network', 'Page', 'DOM', 'Runtime']) await this.#ask(`${domain}.enable`);
    const offline = { offline: true, latency: 0, downloadThroughput: 0, uploadThroughput: 0 };
    await this.#ask('Network.emulateNetworkConditions', offline);
    await this.#ask('Page.navigate', { url });
    const loaded = `new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))`;
    await this.evaluate(loaded);
  }

  #ask(method: string, params: object = {}): Promise<{ readonly [name: string]: unknown }> {
    const id = this.#next++;
    const session = this.#session === null ? {} : { sessionId: this.#session };
    this.#write.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result ?? {});
        else reject(new TypeError(`${method}: ${error.message}`));
      });
    });
  }

  #hear(reply: Reply): void {
    if (reply.id !== undefined) {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    } else if (reply.method === 'Network.requestWillBeSent') this.requested.push(reply.params?.request?.url ?? '');
  }
}
