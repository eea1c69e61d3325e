import type { TokenIssued } from '../../contracts/index.js';
import type { Tenant } from '../../control/index.js';
import type { StoredLineage } from '../../projections/index.js';
import { scopeOf } from './claims.js';
import { clocksOf, summarize, type Clocks, type LineageSummary } from './lineage.js';
import type { Sharer } from './sharer.js';

/** The parts that many tokens share, held once, so that a token in memory costs only its own members. */
export interface TokenKind {
  readonly tenant: string;
  /** `version` of the tenant when the facts were read. */
  readonly tenantVersion: number;
  readonly kind: TokenIssued['kind'];
  /** How it is identified: a text of another kind must not find these facts. */
  readonly identity: 'jti' | 'sha256' | 'signing_input_sha256';
  readonly iss: string;
  /** Id of the source that recorded it. */
  readonly source: string;
  readonly client: string;
  /** As `scopeOf` spells it. */
  readonly scope: string;
  readonly aud: readonly string[];
  /** Every resource that it is recorded for: `aud` and `resource`. */
  readonly named: readonly string[];
  /** Resources at which the token may be presented. */
  readonly audience: readonly string[];
  readonly lineage: LineageSummary;
  readonly clocks: Clocks;
  /** Largest skew of those clocks, seconds, as of a version of the registry. */
  skew: number;
  skewVersion: number;
  /** Beginning of the active answer. */
  readonly head: string;
}

export function shareKind(
  { id: tenant, version: tenantVersion }: Tenant,
  identity: TokenKind['identity'],
  stored: StoredLineage,
  kinds: Sharer<TokenKind>,
): TokenKind {
  const { facts, source } = stored.tokens[0]!;
  const lineage = summarize(stored);
  return kinds.share(`${tenantVersion} ${nameOf(tenant, identity, stored, lineage)}`, () => {
    // A refresh token is presented to the RAS that issued it, whatever its access tokens are for.
    const { kind, iss, client_id: client, aud } = facts;
    const named = [...aud, ...(facts.resource ?? [])];
    const recorded = {
      iss,
      client,
      scope: scopeOf(facts.scope ?? ''),
      aud,
      named,
      audience: kind === 'refresh' ? [iss] : named,
    };
    return {
      tenant,
      tenantVersion,
      kind,
      identity,
      source,
      ...recorded,
      lineage,
      clocks: clocksOf(stored),
      skew: 0,
      skewVersion: -1,
      head: headOf(facts),
    };
  });
}

/** All that a kind is made of, before anything is made of it: most tokens are of one that is there already. */
function nameOf(
  tenant: string,
  identity: TokenKind['identity'],
  { tokens, idJags }: StoredLineage,
  lineage: LineageSummary,
): string {
  const { kind, iss, client_id: clientId, aud, resource = [], scope, cnf } = tokens[0]!.facts;
  const flags = Object.values(lineage).map(Number).join('');
  let name = `${identity} ${kind} ${tokenType(cnf)} ${flags} ${aud.length} ${resource.length} ${tokens.length} ${scope !== undefined} `;
  name += counted(tenant) + counted(iss) + counted(clientId) + counted(scope ?? '');
  for (const value of aud) name += counted(value);
  for (const value of resource) name += counted(value);
  for (const { source, facts } of tokens) name += counted(source) + (facts.id_jag ? counted(facts.id_jag.iss) : ' ');
  for (const { source, facts } of idJags) name += counted(source) + counted(facts.iss);
  return name;
}

/** No two sequences of texts look alike when each says how long it is. */
const counted = (text: string): string => `${text.length}:${text}`;

/** RFC 7662, section 2.2. `token_type` says how a resource server is to take it (RFC 6749, section 7.1): a refresh token has none. */
function headOf(facts: TokenIssued): string {
  const head = JSON.stringify({
    active: true,
    iss: facts.iss,
    client_id: facts.client_id,
    aud: facts.aud.length === 1 ? facts.aud[0] : facts.aud,
    scope: facts.scope,
    ...(facts.kind === 'access' ? { token_type: tokenType(facts.cnf) } : {}),
  });
  return head.slice(0, -1);
}

const tokenType = (cnf: TokenIssued['cnf']): string => (cnf?.jkt === undefined ? 'Bearer' : 'DPoP');
