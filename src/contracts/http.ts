import type { ErrorCode } from './error-codes.js';
import type { Actor } from './events/event-members.js';
import type { RejectCode } from './reject-codes.js';

/** RFC 7662, 2.2. Members beside `active` come back as issued. */
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
  /** RFC 9470, 6.2, as the event of the token says them: epoch seconds; the class that the authentication met. */
  readonly auth_time?: number;
  readonly acr?: string;
}

/** RFC 7662, 2.2: nothing but `active`, above all no reason. */
export interface InactiveIntrospection {
  readonly active: false;
}

export type IntrospectionResponse = ActiveIntrospection | InactiveIntrospection;

/** RFC 6749, 5.2; what `/introspect` and `/revoke` answer to a call that is wrong in itself. */
export interface OAuthError {
  readonly error: 'invalid_request' | 'invalid_client' | 'unsupported_token_type' | 'temporarily_unavailable' | 'invalid_token' | 'insufficient_scope';
  readonly error_description?: string;
}

/** RFC 9457. `type` is `https://rescind.dev/problems/<code>`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly instance?: string;
  readonly [extension: string]: unknown;
}

/** Durable; under the Merkle root; covered by a signed checkpoint. */
export type LedgerState = 'sequenced' | 'integrated' | 'published';

/** Says why the token of a stored event cannot be active as its source is registered now. */
export interface IntakeWarning {
  readonly code: 'expired' | 'lifetime-too-long' | 'lineage-missing';
  /** For people: what is wrong, and what to do. */
  readonly detail: string;
}

/** The answer of `POST /events` for each event, in the order they were sent. `index` is a decimal string. `warnings` is absent without any. */
export type IntakeResult =
  | { readonly index: string; readonly state: LedgerState; readonly warnings?: readonly IntakeWarning[] }
  | { readonly duplicate: true; readonly index: string; readonly warnings?: readonly IntakeWarning[] }
  | { readonly error: RejectCode; readonly detail?: string };
