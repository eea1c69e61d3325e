import type { TokenClaims } from './answer.js';
import type { BearerVerifier, Verdict } from './bearer/bearer-verifier.js';

/** `AuthInfo` of the MCP TypeScript SDK. */
export interface McpAuthInfo {
  readonly token: string;
  readonly clientId: string;
  readonly scopes: string[];
  /** Seconds since the epoch; the SDK refuses a token without. */
  readonly expiresAt: number;
  readonly resource?: URL;
  readonly extra: Record<string, unknown>;
}

type ErrorClass = new (message: string) => Error;

export interface McpVerifierOptions {
  readonly verifier: BearerVerifier;
  /** This server's identifier, as the tokens' audience names it. */
  readonly resource: string;
  /** The SDK's own classes, by which its middleware tells a refusal (401) from a failure (500). */
  readonly errors: { readonly InvalidTokenError: ErrorClass; readonly ServerError: ErrorClass };
}

/** Fits `OAuthTokenVerifier` of the MCP TypeScript SDK, for its `requireBearerAuth`. */
export interface McpTokenVerifier {
  verifyAccessToken(token: string): Promise<McpAuthInfo>;
}

/**
 * The SDK hands over the token alone, so a token that is bound to a key or a certificate is refused: nothing here could
 * prove the binding. Scopes are the SDK's to check (`requiredScopes`).
 */
export function createMcpTokenVerifier({ verifier, resource, errors }: McpVerifierOptions): McpTokenVerifier {
  return {
    async verifyAccessToken(token) {
      const verdict: Verdict = await verifier.verify({ authorization: `Bearer ${token}`, method: 'POST', url: '/' });
      if (!verdict.allowed) {
        if (verdict.status === 503) throw new errors.ServerError('the token cannot be checked at the moment');
        throw new errors.InvalidTokenError(verdict.body.error_description ?? 'the token is not active');
      }
      const { claims, scopes } = verdict;
      if (claims.exp === undefined || claims.client_id === undefined) throw new errors.InvalidTokenError('the token names no client or no expiry');
      return { token, clientId: claims.client_id, scopes: [...scopes], expiresAt: claims.exp, resource: new URL(resource), extra: extraOf(claims) };
    },
  };
}

/** What the SDK has no member of its own for. */
function extraOf(claims: TokenClaims): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'scope' && name !== 'exp' && name !== 'client_id'));
}
