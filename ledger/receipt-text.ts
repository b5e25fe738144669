/**
 * The exact text a receipt signs (docs/ledger-format.md): seven lines, each ended by a line feed.
 *
 * @param digest SHA-256 of the enforced request, 64 lower hex digits, or `-`
 */
export function receiptText(
  origin: string,
  entry: { log: string; inc: number; seq: number; hash: string },
  digest: string,
): string {
  return `countersign/receipt/v1\n${origin}\n${entry.log}\n${String(entry.inc)}\n${String(entry.seq)}\n${entry.hash}\n${digest}\n`;
}
