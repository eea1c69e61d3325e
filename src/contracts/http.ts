import type { ErrorCode } from './error-codes.js';
import type { Actor } from './events/event-members.js';
import type { RejectCode } from './reject-codes.js';

/** Answer about an active token (RFC 7662, 2.2). Members other than `active` are those that were issued. */
export interface ActiveIntrospection {
  readonly active: true;
  readonly iss?: string;
  readonly sub?: string;
  readonly client_id?: string;
  readonly username?: string;
  readonly aud?: string | readonly string[];
  readonly scope?: string;
  readonly token_type?: 'Bearer' | 'DPoP';
  readonly exp?: number;
  readonly iat?: number;
  readonly nbf?: number;
  readonly jti?: string;
  readonly cnf?: { readonly jkt?: string; readonly 'x5t#S256'?: string };
  readonly act?: Actor;
  /** RFC 9470, 6.2, from the token's event: epoch seconds of the authentication, and the class that it met. */
  readonly auth_time?: number;
  readonly acr?: string;
}

/** Answer about any other token (RFC 7662, 2.2): only `active`, and above all no reason. */
export interface InactiveIntrospection {
  readonly active: false;
}

export type IntrospectionResponse = ActiveIntrospection | InactiveIntrospection;

/** Error of RFC 6749, 5.2, with which `/introspect` and `/revoke` answer a faulty request. */
export interface OAuthError {
  readonly error:
    | 'invalid_request'
    | 'invalid_client'
    | 'unsupported_token_type'
    | 'temporarily_unavailable'
    | 'invalid_token'
    | 'insufficient_scope';
  readonly error_description?: string;
}

/** Problem details of RFC 9457. `type` is `https://rescind.dev/problems/<code>`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly instance?: string;
  readonly [extension: string]: unknown;
}

/** State of an entry. `sequenced`: durable. `integrated`: under the Merkle root. `published`: covered by a signed checkpoint. */
export const LEDGER_STATES = ['sequenced', 'integrated', 'published'] as const;
export type LedgerState = (typeof LEDGER_STATES)[number];

/** Codes of {@link IntakeWarning}. */
export const INTAKE_WARNINGS = ['expired', 'lifetime-too-long', 'lineage-missing'] as const;

/** Warns that the token of a stored event cannot be active as its source is registered now. */
export interface IntakeWarning {
  readonly code: (typeof INTAKE_WARNINGS)[number];
  /** For people: the fault, and what to do. */
  readonly detail: string;
}

interface StoredResult {
  readonly index: string;
  readonly warnings?: readonly IntakeWarning[];
  readonly evidence?: object | null;
}

/**
 * Result of `POST /events` for one event; the results are in the order of the events. `index` is a decimal string. `warnings` is absent if
 * there are none. `evidence` is present only if the request has `wait=published`: the evidence file of the entry, or null if no checkpoint
 * covered it in time.
 */
export type IntakeResult =
  | (StoredResult & { readonly state: LedgerState })
  | (StoredResult & { readonly duplicate: true })
  | { readonly error: RejectCode; readonly detail?: string };
