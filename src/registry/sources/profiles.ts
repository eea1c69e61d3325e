import {
  ID_JAG_TYP,
  LOGOUT_TYP,
  RescindError,
  SECURITY_EVENT_TYP,
  type TokenProfilePreset,
} from '../../contracts/index.js';
import { DEFAULT_TOKEN_PROFILE, type TokenProfile } from '../../control/index.js';
import type { ProfileInput } from '../inputs.js';

const ALL_RSA = ['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'] as const;

/** A server that also serves log-ins issues tokens that come from no ID-JAG. */
const MIXED = { lineage: { id_jag: 'stated', other: 'none' } } as const satisfies Partial<TokenProfile>;

/** Profile of each product's tokens (profiles.md has an example of each). */
const PRESETS: Readonly<Record<TokenProfilePreset, Partial<TokenProfile>>> = {
  rfc9068: {},
  // `account` is in `aud` of every user's token, alone if no API grants the client a role.
  keycloak: {
    ...MIXED,
    typ: ['JWT', 'at+jwt'],
    algorithms: ['ES256', 'ES384', 'ES512', 'EdDSA', ...ALL_RSA],
    ignored_audiences: ['account'],
  },
  okta: { ...MIXED, typ: [null], algorithms: ['RS256'] },
  auth0: { ...MIXED, typ: ['JWT', 'at+jwt'], algorithms: ['PS256', 'RS256'] },
  // Continuous access evaluation makes tokens live up to 28 hours. There is no `jti`.
  entra: { ...MIXED, typ: ['JWT'], algorithms: ['RS256'], identity: ['uti'], max_token_lifetime: 28 * 3_600 },
  pingone: { ...MIXED, typ: [null, 'at+jwt'], algorithms: ['RS256'] },
  // `aud` is the client.
  pingam: { ...MIXED, typ: ['JWT'], algorithms: ['ES256', 'ES384', 'ES512', ...ALL_RSA], claims: { client_id: 'aud' } },
  hydra: { ...MIXED, typ: ['JWT'], algorithms: ['ES256', 'RS256'] },
};

/** A JWT of another purpose must never pass for an access token (RFC 8725, section 3.11). */
const FOREIGN_TYPS: readonly unknown[] = [ID_JAG_TYP, SECURITY_EVENT_TYP, LOGOUT_TYP];

/**
 * Builds a profile: the preset, changed by the other members given. Throws `invalid-request` for a profile that no token could satisfy, or
 * that too many tokens could.
 */
export function tokenProfile(
  { preset = 'rfc9068', lineage, typ, ...given }: ProfileInput,
  resources: readonly string[],
): TokenProfile {
  const base = { ...DEFAULT_TOKEN_PROFILE, ...PRESETS[preset] };
  const profile: TokenProfile = {
    ...base,
    ...given,
    lineage: typeof lineage === 'string' ? { id_jag: lineage, other: lineage } : { ...base.lineage, ...lineage },
    typ: typ === undefined ? base.typ : typeof typ === 'string' ? [typ] : typ,
  };
  const { default_resource: fallback, ignored_audiences: ignored } = profile;
  if (profile.typ.some((one) => FOREIGN_TYPS.includes(one?.toLowerCase().replace(/^application\//, ''))))
    refuse('`profile.typ` belongs to another kind of JWT');
  if (fallback !== undefined && !resources.includes(fallback))
    contradict('`profile.default_resource` must be one of `resources`');
  if (ignored.some((audience) => resources.includes(audience)))
    contradict('`profile.ignored_audiences` must not name one of `resources`');
  if (profile.announced === 'optional') checkUnannounced(profile);
  return profile;
}

/** A token that no event announced shows no ID-JAG, and its text alone says which resources it is for. */
function checkUnannounced({ lineage, claims }: TokenProfile): void {
  if (lineage.other !== 'none')
    contradict(
      '`profile.announced` can be `optional` only where `profile.lineage.other` is `none`: a token that no event announced shows no ID-JAG',
    );
  if (claims.client_id === 'aud')
    contradict(
      '`profile.announced` cannot be `optional` where `profile.claims.client_id` is `aud`: such a token does not state its resources',
    );
}

function contradict(detail: string): never {
  throw new RescindError('inconsistent-request', { detail });
}

function refuse(detail: string): never {
  throw new RescindError('invalid-request', { detail });
}
