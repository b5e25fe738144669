/** One administrative action: where it is, which verb decides about it, what it takes and what it does. */
import type { z } from 'zod';
import type { Party } from '../../../approvals/index.ts';
import type { JsonValue } from '../../../ledger/index.ts';
import type { Principal } from '../../access/principal.ts';
import type { AdminDeps } from './deps.ts';

/** An authorised request. */
export interface AdminCall<Query, Body> {
  readonly deps: AdminDeps;
  readonly principal: Principal;
  readonly party: Party;
  /** The only tenant the answer may be about; null = the whole deployment. */
  readonly scope: string | null;
  /** The `{id}` of the path, or an empty string. */
  readonly id: string;
  readonly query: Query;
  readonly body: Body;
}

export type AdminAnswer =
  | { readonly status: number; readonly json: JsonValue }
  | { readonly status: number; readonly text: string; readonly contentType: string }
  | { readonly status: number; readonly bytes: Uint8Array; readonly contentType: string };

export interface AdminRoute<Query = unknown, Body = unknown> {
  readonly method: 'GET' | 'POST';
  /** OpenAPI spelling, at most one parameter: `/api/keys/{id}/revoke`. */
  readonly path: string;
  /** Decided by policy at `admin.<verb>`. */
  readonly verb: string;
  readonly summary: string;
  /** Shape of the path's `{id}`. */
  readonly id?: RegExp;
  /** The `{id}` is all that is left of the path, slashes too. */
  readonly rest?: boolean;
  /** Members beside `tenant`, which every route takes. */
  readonly query?: z.ZodType<Query>;
  /** Absent: the route takes no body. */
  readonly body?: z.ZodType<Body>;
  /** Longest body. Default 256 KiB. */
  readonly bodyBytes?: number;
  readonly answers: Readonly<Record<number, string>>;
  /**
   * `access`: an entry about the access is durable before the handler runs. `own`: the handler records the change itself,
   * before it takes effect; only refusals are recorded for it.
   */
  readonly evidence: 'access' | 'own';
  readonly handle: (call: AdminCall<Query, Body>) => Promise<AdminAnswer>;
}

/** A route without its types, for the table; its schemas still check what reaches the handler. */
export function route<Query, Body>(definition: AdminRoute<Query, Body>): AdminRoute {
  return {
    ...definition,
    handle: (call) => definition.handle(call as AdminCall<Query, Body>),
  };
}

/** A JSON answer. */
export function answer(json: JsonValue, status = 200): AdminAnswer {
  return { status, json };
}
