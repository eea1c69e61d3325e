import type { Caller, ControlState } from '../control/index.js';
import { hasExpired } from './callers.js';
import { createFailureThrottle } from './failure-throttle.js';
import { equalDigests, secretDigest } from './secrets.js';

/** Compared with when no caller has the id, so that an unknown id costs what a wrong secret costs. */
const NOBODY_SECRETS = [{ id: '', sha256: secretDigest(''), created_at: 0, expires_at: 0 }];

/** What a request presents. `form` is the parsed body of a protocol endpoint; the management API has none. */
export interface Credentials {
  readonly authorization: string | undefined;
  readonly form?: { get(name: string): string | undefined };
  readonly remoteAddress: string;
}

export type AuthenticationScheme = 'Basic' | 'Bearer';

export interface Refusal {
  readonly code: 'invalid-request' | 'unauthenticated' | 'too-many-requests';
  /** The scheme of the header that was tried. */
  readonly scheme?: AuthenticationScheme;
  /** Seconds; with `too-many-requests`. */
  readonly retryAfterS?: number;
  /** For people; says nothing about which part was wrong. */
  readonly detail: string;
}

export type Authentication = { readonly caller: Caller; readonly refusal?: undefined } | { readonly caller?: undefined; readonly refusal: Refusal };

/**
 * Says which caller a request comes from: `client_secret_basic`, `client_secret_post` (RFC 6749, section 2.3.1) or the
 * secret alone as a bearer token. Pure over the state at the time of the call, and synchronous. Never throws.
 */
export type Authenticator = (credentials: Credentials) => Authentication;

export interface AuthenticatorOptions {
  readonly state: () => ControlState;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

export function createAuthenticator({ state, now = Date.now }: AuthenticatorOptions): Authenticator {
  const throttle = createFailureThrottle(now);

  function bySecret(secret: string): Caller | undefined {
    const sha256 = secretDigest(secret);
    const caller = state().callerBySecret(sha256);
    const stored = caller?.secrets.find((one) => one.sha256 === sha256);
    return caller && stored && isUsable(caller, stored) ? caller : undefined;
  }

  function byIdAndSecret({ id, secret }: IdAndSecret): Caller | undefined {
    const sha256 = secretDigest(secret);
    const caller = state().caller(id);
    let usable = false;
    for (const stored of caller?.secrets ?? NOBODY_SECRETS) {
      if (equalDigests(stored.sha256, sha256) && caller && isUsable(caller, stored)) usable = true;
    }
    return usable ? caller : undefined;
  }

  const isUsable = (caller: Caller, stored: Caller['secrets'][number]): boolean =>
    !caller.disabled && !hasExpired(stored, Math.floor(now() / 1000));

  function refuse(remoteAddress: string, scheme: AuthenticationScheme | undefined, detail: string): Authentication {
    const tried = scheme === undefined ? {} : { scheme };
    const retryAfterS = throttle.fail(remoteAddress);
    if (retryAfterS === undefined) return { refusal: { code: 'unauthenticated', ...tried, detail } };
    return { refusal: { code: 'too-many-requests', ...tried, retryAfterS, detail: 'too many failed attempts from this address' } };
  }

  return ({ authorization, form, remoteAddress }) => {
    const formSecret = form?.get('client_secret');
    if (authorization !== undefined) {
      // RFC 6749, section 2.3: the client MUST NOT use more than one authentication method in each request.
      if (formSecret !== undefined) return { refusal: { code: 'invalid-request', detail: 'more than one way of authentication' } };
      const { scheme, credentials } = parseAuthorization(authorization);
      if (scheme === 'Bearer') {
        const caller = bySecret(credentials);
        return caller ? { caller } : refuse(remoteAddress, scheme, 'the key is unknown, expired or disabled');
      }
      if (scheme === 'Basic') {
        const presented = parseBasic(credentials);
        const formId = form?.get('client_id');
        const caller = presented && byIdAndSecret(presented);
        if (caller && (formId === undefined || formId === caller.id)) return { caller };
        return refuse(remoteAddress, scheme, 'the credentials are wrong, expired or disabled');
      }
      return refuse(remoteAddress, undefined, 'the authorization scheme is neither Basic nor Bearer');
    }
    const formId = form?.get('client_id');
    if (formSecret === undefined || formId === undefined) return refuse(remoteAddress, undefined, 'no credentials');
    const caller = byIdAndSecret({ id: formId, secret: formSecret });
    return caller ? { caller } : refuse(remoteAddress, undefined, 'the credentials are wrong, expired or disabled');
  };
}

interface IdAndSecret {
  readonly id: string;
  readonly secret: string;
}

/** RFC 9110, section 11.4: the scheme is compared without case. */
function parseAuthorization(header: string): { scheme: AuthenticationScheme | undefined; credentials: string } {
  const space = header.indexOf(' ');
  const name = (space === -1 ? header : header.slice(0, space)).toLowerCase();
  const credentials = space === -1 ? '' : header.slice(space + 1).trim();
  if (name === 'bearer') return { scheme: 'Bearer', credentials };
  return { scheme: name === 'basic' ? 'Basic' : undefined, credentials };
}

/** RFC 6749, section 2.3.1: id and secret are each form-encoded before they are joined. */
function parseBasic(credentials: string): IdAndSecret | undefined {
  const text = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  const id = formDecode(text.slice(0, colon));
  const secret = formDecode(text.slice(colon + 1));
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
