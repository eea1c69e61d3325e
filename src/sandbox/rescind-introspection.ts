import type { Guard } from '../guard/index.js';
import type { Log } from '../platform/log/index.js';

/** Time that a party waits for Rescind before it treats a token as inactive. */
const TIMEOUT_MS = 5_000;

export type RescindCredentials =
  | { readonly method: 'client_secret_basic'; readonly id: string; readonly secret: string }
  | { readonly method: 'bearer'; readonly secret: string };

/** The introspection endpoint and the credentials with which a resource application asks. */
export interface RescindAccess {
  readonly introspectionUrl: string;
  readonly credentials: RescindCredentials;
}

/**
 * Result of an introspection (RFC 7662, section 2.2). `undecided`: Rescind could not be reached or could not decide; the token MUST NOT be
 * honoured.
 */
export type Introspection =
  | { readonly outcome: 'active'; readonly claims: IntrospectionClaims }
  | { readonly outcome: 'inactive' }
  | { readonly outcome: 'undecided' };

export interface IntrospectionClaims {
  readonly iss?: string;
  readonly jti?: string;
  readonly sub?: string;
  readonly client_id?: string;
  readonly aud?: string | readonly string[];
  readonly scope?: string;
  readonly exp?: number;
}

export type Introspect = (token: string, hint: string) => Promise<Introspection>;

export function createIntrospection({ introspectionUrl, credentials }: RescindAccess, log: Log): Introspect {
  const authorization = authorizationHeader(credentials);
  return async (token, hint) => {
    try {
      const response = await fetch(introspectionUrl, {
        method: 'POST',
        headers: { authorization, accept: 'application/json' },
        body: new URLSearchParams({ token, token_type_hint: hint }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        log.warn(
          { status: response.status },
          'Rescind did not answer an introspection; treating the token as undecided',
        );
        return { outcome: 'undecided' };
      }
      const answer = (await response.json()) as { active?: unknown } & IntrospectionClaims;
      // Only the boolean itself is a yes.
      return answer.active === true ? { outcome: 'active', claims: answer } : { outcome: 'inactive' };
    } catch (error) {
      log.warn({ err: error }, 'an introspection failed; treating the token as undecided');
      return { outcome: 'undecided' };
    }
  };
}

/** Introspects through a guard, which can usually answer from memory. */
export function guardedIntrospection(guard: Pick<Guard, 'check'>): Introspect {
  return async (token, hint) => {
    const answer = await guard.check(token, hint);
    if (answer.state === 'active') return { outcome: 'active', claims: answer.claims };
    return { outcome: answer.state === 'inactive' ? 'inactive' : 'undecided' };
  };
}

function authorizationHeader(credentials: RescindCredentials): string {
  if (credentials.method === 'bearer') return `Bearer ${credentials.secret}`;
  // RFC 6749, section 2.3.1: each half is form-encoded before Base64.
  const pair = [credentials.id, credentials.secret].map((half) =>
    new URLSearchParams({ '': half }).toString().slice(1),
  );
  return `Basic ${Buffer.from(pair.join(':')).toString('base64')}`;
}
