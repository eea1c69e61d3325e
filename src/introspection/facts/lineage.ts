import type { ControlState, Tenant } from '../../control/index.js';
import type { IdJagIssued, PresentedIdJag } from '../../contracts/index.js';
import type { StoredLineage } from '../../projections/index.js';
import { tokenKeys, type IdJagFacts, type TokenKeys } from '../../rules/index.js';

/** Findings about the recorded lineage of a token or ID-JAG. The profile decides later what they mean. */
export interface LineageSummary {
  /** Everything that anybody named is recorded: nothing about it can become known later but a conflict. */
  readonly complete: boolean;
  /** A cycle, or more hops than are followed. */
  readonly broken: boolean;
  /** Two events say different things of a member. */
  readonly conflict: boolean;
  /** The ID-JAG that a RAS says it verified differs from the one that the IdP issued, or was not issued to that RAS. */
  readonly contradictory: boolean;
  /** The parent of every token in the lineage is recorded. An ID-JAG may have been exchanged for a token of the IdP's own, which nobody records. */
  readonly parentsKnown: boolean;
  /** Some token of it states the ID-JAG that it came from. */
  readonly hasIdJag: boolean;
  /** The user of each stated ID-JAG is known, from the RAS or from the IdP: without it no rule on a user could reach the token. */
  readonly usersKnown: boolean;
  /** Each stated ID-JAG is recorded by its IdP. */
  readonly idJagsKnown: boolean;
}

export function summarize({ tokens, idJags, complete, broken }: StoredLineage): LineageSummary {
  const tokenKeysKnown = new Set(tokens.map(({ key }) => key));
  const redemptions = tokens.flatMap(({ facts }) => (facts.id_jag ? [{ stated: facts.id_jag, ras: facts.iss }] : []));
  const recorded = redemptions.map(({ stated, ras }) => ({
    stated,
    ras,
    issued: idJags.find(({ facts }) => isSame(stated, facts))?.facts,
  }));
  return {
    complete,
    broken,
    conflict: [...tokens, ...idJags].some(({ conflict }) => conflict),
    contradictory: recorded.some(({ stated, ras, issued }) => issued !== undefined && contradicts(stated, ras, issued)),
    parentsKnown: tokens.every(({ parentKey }) => parentKey === undefined || tokenKeysKnown.has(parentKey)),
    hasIdJag: redemptions.length > 0,
    usersKnown: recorded.every(({ stated, issued }) => stated.sub !== undefined || issued !== undefined),
    idJagsKnown: recorded.every(({ issued }) => issued !== undefined),
  };
}

/** An ID-JAG that is stated without an identity is nobody's: whose event it was cannot be shown. */
function isSame(stated: PresentedIdJag, issued: IdJagIssued): boolean {
  if (stated.iss !== issued.iss) return false;
  if (stated.jti !== undefined) return stated.jti === issued.jti;
  return stated.sha256 !== undefined && stated.sha256 === issued.sha256;
}

const COMPARED = ['sub', 'tenant', 'aud_tenant', 'aud_sub', 'client_id', 'sid'] as const;

function contradicts(stated: PresentedIdJag, ras: string, issued: IdJagIssued): boolean {
  if (!issued.aud.includes(ras)) return true;
  return COMPARED.some(
    (member) => stated[member] !== undefined && issued[member] !== undefined && stated[member] !== issued[member],
  );
}

/** Keys of a lineage. Undefined when never active. Without a skew, which the registry can change: {@link skewOf}. */
export function stopKeys(
  tenant: Tenant,
  lineage: StoredLineage | undefined,
  presented: readonly IdJagFacts[] = [],
): TokenKeys | undefined {
  const members = [...(lineage?.tokens ?? []), ...(lineage?.idJags ?? [])];
  return tokenKeys(tenant.key, {
    tokens: lineage?.tokens.map(({ facts }) => facts) ?? [],
    idJags: [...presented, ...(lineage?.idJags.map(({ facts }) => facts) ?? [])],
    seenSeq:
      members.length === 0
        ? undefined
        : members.map(({ seenSeq }) => seenSeq).reduce((least, seq) => (seq < least ? seq : least)),
    skew: 0,
  });
}

/** The sources and issuers whose clocks took part in a lineage. */
export interface Clocks {
  readonly sources: ReadonlySet<string>;
  readonly issuers: ReadonlySet<string>;
}

export const NO_CLOCKS: Clocks = { sources: new Set(), issuers: new Set() };

export function clocksOf({ tokens, idJags }: StoredLineage): Clocks {
  return {
    sources: new Set([...tokens, ...idJags].map(({ source }) => source)),
    issuers: new Set([
      ...tokens.flatMap(({ facts }) => (facts.id_jag ? [facts.id_jag.iss] : [])),
      ...idJags.map(({ facts }) => facts.iss),
    ]),
  };
}

/** The largest skew of the sources involved, in seconds, as they are registered now. */
export function skewOf(state: ControlState, tenant: Tenant, clocks: Clocks): number {
  let skew = 0;
  for (const source of state.sources()) {
    if (source.tenant !== tenant.id) continue;
    const involved = clocks.sources.has(source.id) || source.issuers.some((issuer) => clocks.issuers.has(issuer));
    if (involved) skew = Math.max(skew, source.profile.skew);
  }
  return skew;
}
