import { findProvider } from '@pydantic/genai-prices';

/** What decides where a provider's prices are looked up. */
export interface PricedProvider {
  readonly kind: 'openai' | 'anthropic' | 'sandbox';
  readonly baseUrl: string;
  /** Who operates the models: a `local` or `private` deployment is not billed by a published price list. */
  readonly hosting: 'external' | 'private' | 'local';
}

/**
 * Where a configured provider's prices are found: by the host it really talks to, not by its name or protocol, so that
 * a proxy or an own server that speaks OpenAI's protocol is not priced as OpenAI.
 *
 * @returns an id of the price data, `sandbox`, or null: unpriced unless the configuration states a price
 */
export function priceProvider(provider: PricedProvider): string | null {
  if (provider.kind === 'sandbox') return 'sandbox';
  if (provider.hosting !== 'external') return null;
  return findProvider({ providerApiUrl: provider.baseUrl.trim().toLowerCase() })?.id ?? null;
}
