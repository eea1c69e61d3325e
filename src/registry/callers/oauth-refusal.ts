import type { OAuthError } from '../../contracts/index.js';
import type { Refusal } from './authenticator.js';

const REALM = 'realm="rescind"';

/** A refusal in the form of RFC 6749, section 5.2 and RFC 6750, section 3, for `/introspect`, `/revoke` and similar endpoints. */
export interface OAuthRefusal {
  readonly status: 400 | 401 | 403 | 429;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: OAuthError;
}

export function oauthRefusal(refusal: Refusal): OAuthRefusal {
  if (refusal.code === 'invalid-request')
    return answer(400, {}, { error: 'invalid_request', error_description: refusal.detail });
  const error = refusal.scheme === 'Bearer' ? 'invalid_token' : 'invalid_client';
  if (refusal.code === 'too-many-requests') {
    return answer(
      429,
      { 'retry-after': String(refusal.retryAfterS ?? 1) },
      { error, error_description: refusal.detail },
    );
  }
  // RFC 9110, section 11.6.1 wants a challenge with every 401; RFC 6749, section 5.2 wants one of the scheme that was tried.
  const challenge =
    refusal.scheme === 'Bearer' ? `Bearer ${REALM}, error="invalid_token"` : `Basic ${REALM}, charset="UTF-8"`;
  return answer(401, { 'www-authenticate': challenge }, { error });
}

/** Refuses an authenticated caller that lacks the role of the endpoint. */
export const missingRole = (role: string): OAuthRefusal =>
  answer(403, {}, { error: 'insufficient_scope', error_description: `the caller lacks the role ${role}` });

const answer = (status: OAuthRefusal['status'], headers: Record<string, string>, body: OAuthError): OAuthRefusal => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body,
});
