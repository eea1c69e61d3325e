import { createHash } from 'node:crypto';
import { REFRESH_TOKEN_HINT } from '../contracts/index.js';
import type { Tenant } from '../control/index.js';
import type { LineageReader } from '../projections/index.js';
import { ruleKey, tokenParts, type TokenRef } from '../rules/index.js';
import type { OwnToken } from './own-rules.js';
import { createFindRecorded } from './recorded-tokens.js';

/** What a text that a client presents is, before anybody asked what is recorded of it. */
export type PresentedToken =
  | { readonly kind: 'opaque'; readonly sha256: string }
  /** A key that the tenant registered for the issuer made its signature. Its times are not checked. */
  | {
      readonly kind: 'jwt';
      readonly iss: string;
      readonly jti: string | undefined;
      readonly signing_input_sha256: string;
      readonly client_id: string | undefined;
    }
  | { readonly kind: 'unverifiable' };

export interface TokenIdentifier {
  /** MUST verify a JWT's signature before it says anything of what is in it. */
  identify(tenant: Tenant, text: string): Promise<PresentedToken>;
}

/** Undefined: the text can never have been a good token. */
export type FindToken = (tenant: Tenant, text: string, hint: string | undefined) => Promise<OwnToken | undefined>;

/** Whose token a text is: by what is recorded of it, else by its own verified claims, else not known yet. */
export function createFindToken({ verifier, lineage }: { verifier: TokenIdentifier; lineage: LineageReader }): FindToken {
  const findRecorded = createFindRecorded(lineage);
  return async (tenant, text, hint) => {
    const presented = await verifier.identify(tenant, text);
    const ref = refOf(presented) ?? { sha256: createHash('sha256').update(text).digest('base64url') };
    const recorded = await findRecorded(tenant.id, ruleKey(tenant.key, 'token', tokenParts(ref)));
    const facts = recorded?.tokens[0]?.facts;
    if (facts) return { ref, recorded: true, issuedTo: { iss: facts.iss, client_id: facts.client_id } };
    // A JWT that no key verifies is no access token; a refresh token may be one for its issuer's eyes, recorded by digest.
    if (presented.kind === 'unverifiable' && hint !== REFRESH_TOKEN_HINT) return undefined;
    if (presented.kind !== 'jwt' || presented.client_id === undefined) return { ref, recorded: false, issuedTo: undefined };
    return { ref, recorded: false, issuedTo: { iss: presented.iss, client_id: presented.client_id } };
  };
}

function refOf(presented: PresentedToken): TokenRef | undefined {
  if (presented.kind === 'opaque') return { sha256: presented.sha256 };
  if (presented.kind === 'unverifiable') return undefined;
  return presented.jti === undefined
    ? { signing_input_sha256: presented.signing_input_sha256 }
    : { iss: presented.iss, jti: presented.jti };
}
