/** A bundle of any length, made with little more than hashes: what an export would hold, with the product's own forms. */
import { generateKeyPairSync, hash, randomBytes, sign } from 'node:crypto';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';

const ORIGIN = 'bench.test/ledger';
const NOW = 1_780_000_000_000;
const SALT = 'ab'.repeat(16);
const ZERO = '0'.repeat(64);

export interface BundleShape {
  /** Entries of the deployment's log: headers and hashes of sections, nothing disclosed. */
  readonly headers: number;
  /** Entries of the tenant's log: six sections each, about 1 KB, all disclosed. */
  readonly bodies: number;
  /** The tenant's entries carry a writer's signature. */
  readonly signed: boolean;
}

const node = (left: string, right: string): string =>
  hash('sha256', Buffer.concat([Buffer.of(1), Buffer.from(left + right, 'hex')]), 'hex');
const leaf = (text: string): string => hash('sha256', `\0${text}`, 'hex');
const section = (value: string): string => leaf(`["${SALT}",${value}]`);
const ABSENT = leaf('["",null]');

/** RFC 6962 tree head. */
function root(leaves: readonly string[]): string {
  if (leaves.length === 1) return leaves[0] ?? '';
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return node(root(leaves.slice(0, split)), root(leaves.slice(split)));
}

interface Log {
  readonly log: string;
  readonly nonce: string;
  readonly slot: number;
}

function newLog(slot: number): Log {
  const nonce = randomBytes(16).toString('hex');
  return { log: hash('sha256', JSON.stringify([ORIGIN, slot, nonce]), 'hex'), nonce, slot };
}

/** One log's lines, linked. */
class Lines {
  readonly #log: Log;
  readonly #wid: string;
  readonly #file;
  #seq = 0;
  #prev = ZERO;

  constructor(dir: string, log: Log, wid: string) {
    this.#log = log;
    this.#wid = wid;
    mkdirSync(join(dir, 'logs', log.log), { recursive: true });
    this.#file = createWriteStream(join(dir, 'logs', log.log, 'entries.jsonl'));
  }

  get state(): { readonly entries: number; readonly head: string } {
    return { entries: this.#seq, head: this.#prev };
  }

  /** @param receipt of the entry with that hash and sequence, as JSON */
  async add(
    entry: {
      readonly kind: string;
      readonly leaves: readonly string[];
      readonly body: string;
      readonly sections: string;
    },
    wseq: number,
    receipt: (hash: string, seq: number) => string,
  ): Promise<void> {
    const { kind, leaves, body, sections } = entry;
    const seq = this.#seq;
    const header = `{"body":"${body}","call":"bench.${String(seq)}","inc":0,"kind":"${kind}","log":"${this.#log.log}","prev":"${this.#prev}","seq":${String(seq)},"t":${String(NOW + seq)},"v":1,"wid":"${this.#wid}","wseq":${String(wseq)}}`;
    const own = leaf(header);
    const line = `{"hash":"${own}","header":${JSON.stringify(header)},"leaves":${JSON.stringify(leaves)},"receipt":${receipt(own, seq)},"sections":{${sections}}}\n`;
    this.#prev = own;
    this.#seq += 1;
    if (!this.#file.write(line)) await once(this.#file, 'drain');
  }

  async close(): Promise<void> {
    this.#file.end();
    await once(this.#file, 'close');
  }
}

/** Writes the bundle into an empty folder. */
export async function writeBundle(dir: string, { headers, bodies, signed }: BundleShape): Promise<void> {
  const [deployment, tenant, wid] = [newLog(0), newLog(1), 'bench'];
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key = String(publicKey.export({ format: 'jwk' })['x']);
  const facts = (value: string): string => `"facts":{"salt":"${SALT}","value":${value}}`;
  const event = (kind: string, value: string | null): Parameters<Lines['add']>[0] => {
    const leaves = [section(value ?? '{"at_ms":1}'), ABSENT];
    return { kind, leaves, body: root(leaves), sections: value === null ? '' : facts(value) };
  };
  const none = (): string => 'null';
  const top = new Lines(dir, deployment, wid);
  let wseq = 0;
  for (const { log, nonce, slot } of [deployment, tenant])
    await top.add(event('log', `{"inc":0,"log":"${log}","nonce":"${nonce}","origin":"${ORIGIN}","slot":${String(slot)}}`), (wseq += 1), none); // prettier-ignore
  await top.add(event('writer', `{"algorithm":"ed25519","key":"${key}","wid":"${wid}"}`), (wseq += 1), none);
  const plain = event('config', null);
  for (let i = 3; i < headers; i += 1) await top.add(plain, (wseq += 1), none);
  await top.close();
  const values = ['content', 'findings', 'input', 'request', 'subject'].map((name, i) => [name, `{"text":"${String(i).repeat(160)}"}`] as const); // prettier-ignore
  const byName = new Map(values);
  const order = ['subject', 'request', 'input', 'findings', 'content'];
  const own = '{"effect":"allow","model":"small"}';
  const leaves = [section(own), ...order.map((name) => section(byName.get(name) ?? 'null'))];
  const [first, facts0, ...rest] = [...values.slice(0, 1), ['facts', own] as const, ...values.slice(1)];
  const sections = [first, facts0, ...rest].map((each) => `"${each?.[0] ?? ''}":{"salt":"${SALT}","value":${each?.[1] ?? ''}}`).join(','); // prettier-ignore
  const call = { kind: 'decision', leaves, body: root(leaves), sections };
  const receipt = (hashed: string, seq: number): string => {
    const text = `countersign/receipt/v1\n${ORIGIN}\n${tenant.log}\n0\n${String(seq)}\n${hashed}\n-\n`;
    return `{"digest":"-","sig":"${sign(null, Buffer.from(text), privateKey).toString('base64url')}","wid":"${wid}"}`;
  };
  const below = new Lines(dir, tenant, wid);
  for (let i = 0; i < bodies; i += 1) await below.add(call, (wseq += 1), signed ? receipt : none);
  await below.close();
  writeFileSync(join(dir, 'logs', deployment.log, 'checkpoints.jsonl'), '');
  writeFileSync(join(dir, 'logs', tenant.log, 'epochs.jsonl'), '');
  const logs = [
    { ...deployment, role: 'deployment', ...top.state },
    { ...tenant, role: 'tenant', ...below.state, ...(bodies === 0 ? { head: null } : {}) },
  ].map(({ entries, head, log, nonce, role, slot }) => ({ entries, first: 0, head, inc: 0, log, nonce, origin: ORIGIN, role, slot })); // prettier-ignore
  const manifest = { disclose: 'all', files: {}, format: 'countersign/export/v1', kinds: {}, logs, open_calls: [], tenant: 'bench', withheld: [] }; // prettier-ignore
  writeFileSync(join(dir, 'manifest.json'), `${JSON.stringify(manifest)}\n`);
}
