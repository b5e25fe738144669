import { hash } from 'node:crypto';
import { serveWitness, type WitnessServer } from '../../cli/witness-server.ts';
import { createEgress, type Egress } from '../../gateway/egress.ts';
import type { AnchorSend } from '../../ledger/anchor/send.ts';
import { merkleRoot } from '../../ledger/merkle.ts';
import { formatCheckpoint } from '../../ledger/note/checkpoint.ts';
import { createNoteSigner, formatVerifierKey } from '../../ledger/note/key.ts';
import type { NoteSigner } from '../../ledger/note/key.ts';
import { signNote } from '../../ledger/note/note.ts';
import { consistencySteps, stepHash } from '../../ledger/tree/proof.ts';
import { createWitness, type WitnessOptions } from '../../ledger/witness/witness.ts';
import { sendThrough } from '../../gateway/anchors.ts';

/** A log without a database: leaves, and what follows from them. */
export class PlainLog {
  readonly signer: NoteSigner;
  readonly leaves: string[] = [];

  constructor(origin = 'log.test/0', key = Buffer.alloc(32, 3)) {
    this.signer = createNoteSigner(origin, 'ed25519', key);
  }

  get vkey(): string {
    return formatVerifierKey(this.signer.key);
  }

  grow(count: number, content = 'leaf'): this {
    for (let i = 0; i < count; i += 1)
      this.leaves.push(hash('sha256', `${content} ${String(this.leaves.length)}`, 'hex'));
    return this;
  }

  note(size = this.leaves.length, signer = this.signer): string {
    const root = merkleRoot(this.leaves.slice(0, size));
    return signNote(formatCheckpoint({ origin: this.signer.key.name, size, root, extensions: [] }), [signer]);
  }

  proof(oldSize: number, size = this.leaves.length): string[] {
    const nodeOf = (level: number, index: number): string =>
      merkleRoot(this.leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
    return (consistencySteps(oldSize, size) ?? []).map((step) =>
      stepHash(step, ({ level, index }) => nodeOf(level, index)),
    );
  }
}

export interface TestWitness extends WitnessServer {
  readonly vkey: string;
  readonly key: WitnessOptions['signer']['key'];
}

/** Our witness behind a real listener. */
export async function startWitness(
  options: Omit<WitnessOptions, 'signer' | 'now'> & { readonly name?: string; readonly port?: number },
): Promise<TestWitness> {
  const name = options.name ?? 'witness.test/w1';
  const signer = createNoteSigner(name, 'cosignature', hash('sha256', name, 'buffer'));
  const witness = createWitness({ ...options, signer, now: Date.now });
  const server = await serveWitness(witness, { host: '127.0.0.1', port: options.port ?? 0, onError: () => undefined });
  return { ...server, vkey: formatVerifierKey(signer.key), key: signer.key };
}

/** Connections as the gateway opens them. */
export function openConnections(): { readonly send: AnchorSend; readonly egress: Egress } {
  const egress = createEgress({});
  return { send: sendThrough(egress), egress };
}
