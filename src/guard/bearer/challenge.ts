/** Error of a challenge: RFC 6750, 3.1; for DPoP also RFC 9449, 7.1 and 12.2. */
export type ChallengeError =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce';

/** The response that refuses a call. Adapters send it unchanged. */
export interface Refusal {
  readonly allowed: false;
  readonly status: 400 | 401 | 403 | 503;
  /** Undefined if the call had no credentials, and if nobody could decide (503). */
  readonly error: ChallengeError | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: string; readonly error_description?: string };
}

export type Scheme = 'Bearer' | 'DPoP';

export interface ChallengeOptions {
  readonly realm: string | undefined;
  /** RFC 9728, 5.1: tells the client where to learn which authorization server to ask. */
  readonly resourceMetadata: string | undefined;
  /** Algorithms of DPoP proofs; undefined if no proofs are accepted. */
  readonly algorithms: readonly string[] | undefined;
}

export interface Challenges {
  /** RFC 6750, 3: the challenge has no error if the call has no credentials that this server understands. */
  noCredentials(scopes: readonly string[]): Refusal;
  refuse(
    scheme: Scheme,
    error: ChallengeError,
    description: string,
    scopes?: readonly string[],
    headers?: Readonly<Record<string, string>>,
  ): Refusal;
  unavailable(retryAfter: number): Refusal;
}

const STATUS_OF: Readonly<Record<ChallengeError, 400 | 401 | 403>> = {
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
};

export function createChallenges({ realm, resourceMetadata, algorithms }: ChallengeOptions): Challenges {
  function challenge(scheme: Scheme, of: Readonly<Record<string, string | undefined>>): string {
    const parameters = {
      realm,
      ...of,
      resource_metadata: resourceMetadata,
      algs: scheme === 'DPoP' ? algorithms?.join(' ') : undefined,
    };
    const written = Object.entries(parameters).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${quoted(value)}`],
    );
    return written.length === 0 ? scheme : `${scheme} ${written.join(', ')}`;
  }
  const schemes: readonly Scheme[] = algorithms === undefined ? ['Bearer'] : ['Bearer', 'DPoP'];

  return {
    noCredentials: (scopes) => ({
      allowed: false,
      status: 401,
      error: undefined,
      headers: {
        'www-authenticate': schemes.map((scheme) => challenge(scheme, { scope: listed(scopes) })).join(', '),
        'cache-control': 'no-store',
      },
      body: { error: 'unauthorized' },
    }),
    refuse(scheme, error, description, scopes = [], headers = {}) {
      const tried = challenge(scheme, { scope: listed(scopes), error, error_description: description });
      const others = schemes.filter((other) => other !== scheme).map((other) => challenge(other, {}));
      return {
        allowed: false,
        status: STATUS_OF[error],
        error,
        headers: { 'www-authenticate': [tried, ...others].join(', '), 'cache-control': 'no-store', ...headers },
        body: { error, error_description: description },
      };
    },
    unavailable: (retryAfter) => ({
      allowed: false,
      status: 503,
      error: undefined,
      headers: { 'retry-after': String(retryAfter), 'cache-control': 'no-store' },
      body: { error: 'temporarily_unavailable' },
    }),
  };
}

const listed = (scopes: readonly string[]): string | undefined => (scopes.length === 0 ? undefined : scopes.join(' '));

/** Writes a quoted string (RFC 9110, 5.6.4). Characters that no header may contain are left out. */
const quoted = (value: string): string => `"${value.replace(/[^\t\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`;
