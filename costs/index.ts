/** Prices, rating and cost reports. Money is integer nano-USD; an unknown price is null, never zero. */
export { createPriceBook, type PriceBook, type PriceBookOptions, type PriceQuery } from './book.ts';
export { CostsError, type CostsErrorCode } from './errors.ts';
export { usdFromNusd, nusdFromUsd } from './money.ts';
export type { PriceOverride } from './override.ts';
export type { Meter, Price, PriceTier, Rates } from './price.ts';
export { priceProvider, type PricedProvider } from './provider.ts';
export { rate, ratedFacts, worstCase, type Rated, type RatedLine } from './rating.ts';
export type { CallState, CostRecord } from './record.ts';
export { formatReport, type ReportFormat } from './report-format.ts';
export { monthlyReport, monthRange, type CostLine, type CostReport, type CostTotals } from './report.ts';
export {
  estimatedUsage,
  estimateTokens,
  inputTokenBound,
  serviceTierFromOpenAi,
  usageFromOpenAi,
  type Usage,
} from './usage.ts';
