/** A request to somebody outside, who is to remember a checkpoint. */
export interface AnchorRequest {
  readonly purpose: 'witness' | 'timestamp' | 'archive';
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** A longer answer is a failure. */
  readonly maxBytes: number;
}

/** The whole answer; whoever sent it is not believed. */
export interface AnchorReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** Opens the connection: the composer's, so that this leaf opens none. It rejects when there is no answer in time. */
export type AnchorSend = (request: AnchorRequest) => Promise<AnchorReply>;
