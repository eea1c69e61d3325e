import { LRUCache } from 'lru-cache';
import type { Caller, ControlState } from '../../control/index.js';
import { createFailureThrottle } from './failure-throttle.js';
import { equalDigests, hasExpired, secretDigest } from './secrets.js';

/** Compared if no caller has the id, so that an unknown id costs as much time as a wrong secret. */
const NOBODY_SECRETS = [{ id: '', sha256: secretDigest(''), created_at: 0, expires_at: 0 }];

/** Headers that are remembered with the digest of their secret; beyond that, the least recently used header is parsed again. */
const MAX_REMEMBERED_HEADERS = 1_000;

/** Credentials of a request. `form` is the parsed body of a protocol endpoint; the management API has none. */
export interface Credentials {
  readonly authorization: string | undefined;
  readonly form?: { get(name: string): string | undefined };
  readonly remoteAddress: string;
}

export type AuthenticationScheme = 'Basic' | 'Bearer';

export interface Refusal {
  /** `forbidden`: the person is known, and their browser may have been made to send the request by another site. */
  readonly code: 'invalid-request' | 'unauthenticated' | 'too-many-requests' | 'forbidden';
  /** The scheme of the header that was tried. */
  readonly scheme?: AuthenticationScheme;
  /** Seconds; with `too-many-requests`. */
  readonly retryAfterS?: number;
  /** For people; does not say which part was wrong. */
  readonly detail: string;
}

/** `key`: id of the secret that was presented; a person who has signed in presents none. */
export type Authentication =
  | { readonly caller: Caller; readonly key?: string; readonly refusal?: undefined }
  | { readonly caller?: undefined; readonly key?: undefined; readonly refusal: Refusal };

/**
 * Identifies the caller of a request by `client_secret_basic`, `client_secret_post` (RFC 6749, section 2.3.1) or the secret alone as a
 * bearer token. Pure over the state at the time of the call, and synchronous. Never throws.
 */
export type Authenticator = (credentials: Credentials) => Authentication;

export interface AuthenticatorOptions {
  readonly state: () => ControlState;
  /** Returns epoch milliseconds. */
  readonly now?: () => number;
}

export function createAuthenticator({ state, now = Date.now }: AuthenticatorOptions): Authenticator {
  const throttle = createFailureThrottle(now);

  /** Parsed headers that authenticated. Their caller is looked up and checked anew on every call. */
  const good = new LRUCache<string, Presented>({ max: MAX_REMEMBERED_HEADERS });
  let registryVersion = -1;
  // Consecutive questions mostly come from one caller; comparing its header is cheaper than a look-up.
  let lastHeader: string | undefined;
  let last: Presented | undefined;

  function takeApart(authorization: string): Presented {
    // A removed secret must not stay in memory either.
    if (registryVersion !== state().registryVersion) {
      registryVersion = state().registryVersion;
      good.clear();
      lastHeader = undefined;
    }
    if (lastHeader === authorization) return last!;
    const remembered = good.get(authorization);
    if (!remembered) return readAuthorization(authorization);
    lastHeader = authorization;
    last = remembered;
    return remembered;
  }

  function bySecret(sha256: string): Found | undefined {
    const caller = state().callerBySecret(sha256);
    const stored = caller?.secrets.find((one) => one.sha256 === sha256);
    return caller && stored && isUsable(caller, stored) ? { caller, key: stored.id } : undefined;
  }

  function byIdAndSecret(id: string, sha256: string, isSame = equalDigests): Found | undefined {
    const caller = state().caller(id);
    let found: Found | undefined;
    for (const stored of caller?.secrets ?? NOBODY_SECRETS) {
      if (isSame(stored.sha256, sha256) && caller && isUsable(caller, stored)) found = { caller, key: stored.id };
    }
    return found;
  }

  const isUsable = (caller: Caller, stored: Caller['secrets'][number]): boolean =>
    !caller.disabled && !hasExpired(stored, Math.floor(now() / 1000));

  function refuse(
    { remoteAddress }: Credentials,
    scheme: AuthenticationScheme | undefined,
    detail: string,
  ): Authentication {
    const tried = scheme === undefined ? {} : { scheme };
    const retryAfterS = throttle.fail(remoteAddress);
    if (retryAfterS === undefined) return { refusal: { code: 'unauthenticated', ...tried, detail } };
    return {
      refusal: {
        code: 'too-many-requests',
        ...tried,
        retryAfterS,
        detail: 'too many failed attempts from this address',
      },
    };
  }

  return (credentials) => {
    const { authorization, form } = credentials;
    const formSecret = form?.get('client_secret');
    const formId = form?.get('client_id');
    if (authorization === undefined) {
      if (formSecret === undefined || formId === undefined) return refuse(credentials, undefined, 'no credentials');
      return (
        byIdAndSecret(formId, secretDigest(formSecret)) ??
        refuse(credentials, undefined, 'the credentials are wrong, expired or disabled')
      );
    }
    // RFC 6749, section 2.3: the client MUST NOT use more than one authentication method in each request.
    if (formSecret !== undefined)
      return {
        refusal: { code: 'invalid-request', detail: 'the request authenticates in more than one way; use one' },
      };
    const presented = takeApart(authorization);
    const { scheme, id, sha256 } = presented;
    if (scheme === undefined)
      return refuse(credentials, undefined, 'the authorization scheme is neither Basic nor Bearer');
    const found =
      scheme === 'Bearer'
        ? bySecret(sha256)
        : id === undefined
          ? undefined
          : byIdAndSecret(id, sha256, presented.remembered ? isEqual : equalDigests);
    if (!found || (scheme === 'Basic' && formId !== undefined && formId !== found.caller.id)) {
      return refuse(
        credentials,
        scheme,
        scheme === 'Bearer'
          ? 'the key is unknown, expired or disabled'
          : 'the credentials are wrong, expired or disabled',
      );
    }
    if (!presented.remembered) good.set(authorization, { ...presented, remembered: true });
    return found;
  };
}

/** Compares without constant time: the timing tells nothing to a client that presented the right secret before. */
const isEqual = (one: string, other: string): boolean => one === other;

interface Found {
  readonly caller: Caller;
  readonly key: string;
}

/** The content of a header; only the digest of the secret is kept. */
interface Presented {
  readonly scheme: AuthenticationScheme | undefined;
  /** Id of `Basic` credentials; undefined if they are malformed. */
  readonly id: string | undefined;
  readonly sha256: string;
  readonly remembered: boolean;
}

/** Parses a header; the scheme is compared without case (RFC 9110, section 11.4). */
function readAuthorization(header: string): Presented {
  const space = header.indexOf(' ');
  const name = (space === -1 ? header : header.slice(0, space)).toLowerCase();
  const credentials = space === -1 ? '' : header.slice(space + 1).trim();
  if (name === 'bearer')
    return { scheme: 'Bearer', id: undefined, sha256: secretDigest(credentials), remembered: false };
  if (name !== 'basic') return { scheme: undefined, id: undefined, sha256: '', remembered: false };
  const { id, secret = '' } = readBasic(credentials);
  return { scheme: 'Basic', id, sha256: secretDigest(secret), remembered: false };
}

/** Reads `Basic` credentials. RFC 6749, section 2.3.1: id and secret are each form-encoded before they are joined. */
function readBasic(credentials: string): { readonly id?: string; readonly secret?: string } {
  const text = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return {};
  const id = formDecode(text.slice(0, colon));
  const secret = formDecode(text.slice(colon + 1));
  return id === undefined || secret === undefined ? {} : { id, secret };
}

function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
