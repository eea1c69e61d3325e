import type { TokenClaims } from './answer.js';
import type { BearerVerifier, Verdict } from './bearer/bearer-verifier.js';

/** `AuthInfo` of the MCP TypeScript SDK. */
export interface McpAuthInfo {
  readonly token: string;
  readonly clientId: string;
  readonly scopes: string[];
  /** Epoch seconds; the SDK refuses a token without an expiry. */
  readonly expiresAt: number;
  readonly resource?: URL;
  readonly extra: Record<string, unknown>;
}

type ErrorClass = new (message: string) => Error;

/** Options of `createMcpTokenVerifier`. */
export interface McpVerifierOptions {
  readonly verifier: BearerVerifier;
  /** This server's identifier, as it stands in the tokens' `aud`. */
  readonly resource: string;
  /** The SDK's own classes, by which its middleware distinguishes a refusal (401) from a failure (500). */
  readonly errors: { readonly InvalidTokenError: ErrorClass; readonly ServerError: ErrorClass };
}

/** Implements `OAuthTokenVerifier` of the MCP TypeScript SDK, for its `requireBearerAuth`. Rejects with the given error classes. */
export interface McpTokenVerifier {
  verifyAccessToken(token: string): Promise<McpAuthInfo>;
}

/**
 * Creates a verifier for the MCP SDK. The SDK passes only the token, so a token bound to a key or a certificate is refused: its binding
 * cannot be proven here. The SDK checks scopes itself (`requiredScopes`).
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
      if (claims.exp === undefined || claims.client_id === undefined)
        throw new errors.InvalidTokenError('the token names no client or no expiry');
      return {
        token,
        clientId: claims.client_id,
        scopes: [...scopes],
        expiresAt: claims.exp,
        resource: new URL(resource),
        extra: extraOf(claims),
      };
    },
  };
}

/** Gathers the claims that have no member of their own in the SDK. */
function extraOf(claims: TokenClaims): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(claims).filter(([name]) => name !== 'scope' && name !== 'exp' && name !== 'client_id'),
  );
}
