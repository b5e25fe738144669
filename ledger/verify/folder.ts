import { verifyBundle } from './bundle.ts';
import type { VerifyWish } from './bundle.ts';
import { openFolder } from './files.ts';
import type { VerifyReport } from './report.ts';
import { threadedSignatures } from './threads.ts';
import { NO_TRUST } from './trust.ts';
import type { ReaderTrust } from './trust.ts';

/** Checks an exported folder: see verifyBundle. @param trust whom the reader believes; without it nothing is anchored */
export function verifyFolder(dir: string, trust: ReaderTrust = NO_TRUST, wish: VerifyWish = {}): Promise<VerifyReport> {
  return verifyBundle(openFolder(dir), trust, { verifyMany: threadedSignatures(), ...wish });
}
