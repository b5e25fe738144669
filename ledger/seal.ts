/** What seals one subject's sections in one month. */
export interface SealKeys {
  /** The keystore row, stored with the entry; null = the tenant's own key. */
  readonly ref: string | null;
}
