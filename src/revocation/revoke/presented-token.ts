import { createHash } from 'node:crypto';
import { REFRESH_TOKEN_HINT } from '../../contracts/index.js';
import type { Tenant } from '../../control/index.js';
import { createRestraint, type RestraintLimits } from '../../platform/bounds/index.js';
import type { LineageReader } from '../../projections/index.js';
import { ruleKey, tokenParts, type TokenRef } from '../../rules/index.js';
import type { OwnToken } from '../recorded/own-rules.js';
import { createFindRecorded } from './recorded-tokens.js';

/** Kind of a presented text, decided before recorded facts are looked up. */
export type PresentedToken =
  | { readonly kind: 'opaque'; readonly sha256: string }
  /** A key that the tenant registered for the issuer made the signature. The token's times are not checked. */
  | {
      readonly kind: 'jwt';
      readonly iss: string;
      readonly jti: string | undefined;
      readonly signing_input_sha256: string;
      readonly client_id: string | undefined;
    }
  /** An available key refuses the JWT, or no source of the tenant would issue such a JWT. */
  | { readonly kind: 'refused' }
  /** A source may have made the JWT, but the key that would tell is not available now. */
  | { readonly kind: 'no-key' };

export interface TokenIdentifier {
  /** MUST verify a JWT's signature before it reports anything about the content. */
  identify(tenant: Tenant, text: string): Promise<PresentedToken>;
}

/**
 * `no-token`: the text will never be a good token. `no-key`: the text may be a good token, but the key that would tell is not available
 * now. Nothing can be ordered, and no order may be reported.
 */
export type FoundToken = OwnToken | 'no-token' | 'no-key';

/** Rejects with `TooManyWaiting` beyond the caller's bounds. */
export type FindToken = (presented: PresentedText) => Promise<FoundToken>;

export interface PresentedText {
  readonly tenant: Tenant;
  /** Id of the caller that presents the text. */
  readonly caller: string;
  readonly text: string;
  readonly hint: string | undefined;
}

/** Bounds a caller's look-ups of signatures that no key confirms and of tokens that are not recorded, as introspection does. */
const SIGNATURES: RestraintLimits = { burst: 64, perSecond: 100, maxQueued: 2_000, maxWaitMs: 2_000 };
const LOOK_UPS: RestraintLimits = { burst: 1_000, perSecond: 1_000, maxQueued: 2_000, maxWaitMs: 2_000 };

export interface FindTokenOptions {
  readonly verifier: TokenIdentifier;
  readonly lineage: LineageReader;
  /** Clock in milliseconds that never goes back; refills a caller's bounds. */
  readonly monotonic?: (() => number) | undefined;
}

/** Finds a text's token and owner: by its recorded facts, otherwise by its own verified claims, otherwise unknown yet. */
export function createFindToken({ verifier, lineage, monotonic }: FindTokenOptions): FindToken {
  const readRecorded = createFindRecorded(lineage);
  const signatures = createRestraint(SIGNATURES, monotonic);
  const lookUps = createRestraint(LOOK_UPS, monotonic);

  async function identify({ tenant, caller, text }: PresentedText): Promise<PresentedToken> {
    let presented: PresentedToken | undefined;
    await signatures.run(caller, async () => {
      presented = await verifier.identify(tenant, text);
      return presented.kind === 'refused' || presented.kind === 'no-key' ? undefined : presented;
    });
    return presented!;
  }

  return async (asked) => {
    const { tenant, caller, text, hint } = asked;
    const presented = await identify(asked);
    const ref = refOf(presented) ?? { sha256: createHash('sha256').update(text).digest('base64url') };
    const recorded = await lookUps.run(caller, () =>
      readRecorded(tenant.id, ruleKey(tenant.key, 'token', tokenParts(ref))),
    );
    const facts = recorded?.tokens[0]?.facts;
    if (facts) return { ref, recorded: true, issuedTo: { iss: facts.iss, client_id: facts.client_id } };
    if (presented.kind === 'no-key') return 'no-key';
    // A JWT that a key refuses is no access token. It may be a refresh token for its issuer's eyes, recorded by digest.
    if (presented.kind === 'refused' && hint !== REFRESH_TOKEN_HINT) return 'no-token';
    if (presented.kind !== 'jwt' || presented.client_id === undefined)
      return { ref, recorded: false, issuedTo: undefined };
    return { ref, recorded: false, issuedTo: { iss: presented.iss, client_id: presented.client_id } };
  };
}

function refOf(presented: PresentedToken): TokenRef | undefined {
  if (presented.kind === 'opaque') return { sha256: presented.sha256 };
  if (presented.kind !== 'jwt') return undefined;
  return presented.jti === undefined
    ? { signing_input_sha256: presented.signing_input_sha256 }
    : { iss: presented.iss, jti: presented.jti };
}
