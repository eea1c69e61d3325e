import { type CompactJws, ID_JAG_TYP, isTyp, LOGOUT_TYP, SECURITY_EVENT_TYP } from '../../contracts/index.js';
import type { ControlState, Source, Tenant } from '../../control/index.js';
import type { Claims } from '../facts/claims.js';

/** A JWT of another purpose never passes for an access token, whatever a source names (RFC 8725, section 3.11). */
const FOREIGN_TYPS = [ID_JAG_TYP, SECURITY_EVENT_TYP, LOGOUT_TYP];

export type TokenUse = 'access-token' | 'id-jag';

/** The sources that speak for an issuer, and which JWTs they would write. Issuers and headers are unverified here. */
export interface IssuerSources {
  /** Sources of the tenant that speak for the issuer and have keys. */
  of(tenant: Tenant, iss: unknown): readonly Source[];
  /** The first source that speaks for the issuer and would write such a header. */
  plausible(tenant: Tenant, jws: CompactJws, use: TokenUse): Source | undefined;
  /** Whether sources speak for the issuer and none of them takes the algorithm. */
  nobodyTakes(tenant: Tenant, jws: CompactJws): boolean;
  /** A source that is disabled, or has no keys, may have them again: then the same JWT would verify. */
  awaitsKeys(tenant: Tenant, jws: CompactJws): boolean;
  /** Call it after a change of the registry. */
  forget(): void;
}

export function createIssuerSources(state: ControlState): IssuerSources {
  let known = new Map<string, readonly Source[]>();

  function of(tenant: Tenant, iss: unknown): readonly Source[] {
    if (typeof iss !== 'string') return [];
    const name = `${tenant.id}|${iss}`;
    let found = known.get(name);
    if (!found) {
      found = [...state.sources()].filter(
        (source) => source.tenant === tenant.id && !source.disabled && source.issuers.includes(iss) && hasKeys(source),
      );
      // Issuers come out of unverified texts: only the registered ones are worth remembering.
      if (found.length > 0) known.set(name, found);
    }
    return found;
  }

  return {
    of,
    plausible: (tenant, { header, claims }, use) =>
      of(tenant, claims['iss']).find((source) => suits(header, source, use)),
    nobodyTakes(tenant, { header, claims }) {
      if (of(tenant, claims['iss']).some((source) => takesAlgorithm(source, header))) return false;
      // A source that is disabled or has no keys may have them again.
      let isOfSource = false;
      for (const source of state.sources()) {
        if (source.tenant !== tenant.id || !source.issuers.includes(claims['iss'] as string)) continue;
        if (takesAlgorithm(source, header)) return false;
        isOfSource = true;
      }
      return isOfSource;
    },
    awaitsKeys(tenant, { header, claims }) {
      const { iss } = claims;
      if (typeof iss !== 'string') return false;
      for (const source of state.sources()) {
        if (source.tenant !== tenant.id || !source.issuers.includes(iss) || !suits(header, source, 'access-token'))
          continue;
        if (source.disabled || !hasKeys(source)) return true;
      }
      return false;
    },
    forget() {
      known = new Map();
    },
  };
}

const hasKeys = (source: Source): boolean => source.jwks !== undefined || source.jwks_uri !== undefined;

const takesAlgorithm = ({ profile }: Source, header: Claims): boolean =>
  (profile.algorithms as readonly unknown[]).includes(header['alg']);

/** Header rules: RFC 7515, sections 4.1.9 and 4.1.11; RFC 7797; RFC 8725, sections 3.1 and 3.11. Keys in a header are ignored. */
export function suits(header: Claims, source: Source, use: TokenUse): boolean {
  if (!takesAlgorithm(source, header)) return false;
  if (header['crit'] !== undefined || header['b64'] !== undefined) return false;
  if (header['kid'] !== undefined && typeof header['kid'] !== 'string') return false;
  return use === 'id-jag' ? isTyp(header['typ'], ID_JAG_TYP) : takesTyp(source, header);
}

/** Whether an access token of the source may have this `typ`. */
export function takesTyp(source: Source, { typ }: Claims): boolean {
  const isTaken = source.profile.typ.some((taken) => (taken === null ? typ === undefined : isTyp(typ, taken)));
  return isTaken && !FOREIGN_TYPS.some((foreign) => isTyp(typ, foreign));
}
