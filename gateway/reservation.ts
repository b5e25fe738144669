/** What a call may cost at most, for the budgets it falls under. The append transaction decides whether it fits. */
import type { Price, PriceBook } from '../costs/index.ts';
import { inputTokenBound, worstCase } from '../costs/index.ts';
import type { ClassifiedExchange } from './exchange.ts';
import type { EnforcedRequest } from './pipeline/enforce.ts';
import type { Deployment } from './upstream/upstream.ts';

export interface Reservation {
  readonly scopes: readonly string[];
  /** Nano-USD: the dearest of the allowed deployments, at the largest number of tokens the request can use. */
  readonly nusd: bigint;
}

export function priceOf(
  prices: PriceBook,
  deployment: Deployment,
  atMs: number,
  serviceTier: string | null = null,
): Price | null {
  return prices.find({ provider: deployment.provider, model: deployment.model, atMs, serviceTier });
}

/** Null when no budget applies. Every deployment of `enforced` must have a price and `maxTokens` must be set otherwise. */
export function reservationFor(
  exchange: ClassifiedExchange,
  enforced: EnforcedRequest,
  scopes: readonly string[],
  prices: PriceBook,
  atMs: number,
): Reservation | null {
  if (scopes.length === 0) return null;
  const outputTokens = (enforced.maxTokens ?? 0) * exchange.chat.choices;
  let nusd = 0n;
  for (const { deployment, text } of enforced.bodies) {
    const price = priceOf(prices, deployment, atMs);
    if (price === null) continue;
    const size = { bodyBytes: Buffer.byteLength(text), attachments: exchange.document.attachments.length };
    const worst = worstCase(price, { inputTokens: inputTokenBound(size, price), outputTokens });
    if (worst > nusd) nusd = worst;
  }
  return { scopes, nusd };
}
