import { LedgerError } from '../error.ts';
import { verifyProof } from '../epoch/proof-text.ts';
import { Draw, proofFile } from '../export/draw.ts';
import type { Pick } from '../export/draw.ts';
import type { SampleWish } from '../export/options.ts';
import type { WrittenFile } from '../export/out.ts';
import type { VerifierKey } from '../note/key.ts';
import { readText } from './bundle-files.ts';
import type { BundleFiles } from './bundle-files.ts';
import type { ComparedFolder } from './compare.ts';

const MAX_PROOF_BYTES = 1024 * 1024;

/** Draws the sample of an export again, and checks each drawn call's own proof. */
export class SampleCheck {
  readonly #draw: Draw;
  readonly #listed: ReadonlyMap<string, WrittenFile>;
  /** Files of proofs that belong to the sample. */
  readonly proofs = new Set<string>();

  constructor(wish: SampleWish, listed: ReadonlyMap<string, WrittenFile>) {
    this.#draw = new Draw(wish);
    this.#listed = listed;
  }

  add(decision: Omit<Pick, 'rank'>): void {
    this.#draw.add(decision);
  }

  /** @param keys whose signature a proof has to have */
  async end(files: BundleFiles, compared: ComparedFolder, keys: readonly VerifierKey[]): Promise<void> {
    const proofOf = (pick: Pick): string | null => (this.#listed.has(proofFile(pick)) ? proofFile(pick) : null);
    for (const [path, text] of this.#draw.files(proofOf)) await compared.write(path, text);
    for (const pick of this.#draw.picks) {
      const file = proofOf(pick);
      if (file === null) continue;
      this.proofs.add(file);
      const problem = await proofProblem(files, file, pick.hash, keys);
      if (problem !== null)
        compared.add({ file, problem: `${file} does not prove its entry: ${problem}`, shows: 'TAMPERED' });
    }
  }
}

async function proofProblem(
  files: BundleFiles,
  file: string,
  hash: string,
  keys: readonly VerifierKey[],
): Promise<string | null> {
  const read = await readText(files, file, MAX_PROOF_BYTES);
  if ('problem' in read) return 'it cannot be read';
  try {
    return verifyProof(read.text, keys).hash === hash ? null : 'it is about another one';
  } catch (error) {
    if (error instanceof LedgerError) return error.message;
    throw error;
  }
}
