import type { StoredLineage } from '../../projections/index.js';
import { MAX_LINEAGE_AGE_S, ruleKeyFromBytes, ruleKeyToBytes, tokenKeys, type RuleKey, type TokenKeys } from '../../rules/index.js';
import type { Reader } from '../reader.js';
import type { Snapshot } from '../snapshot.pg.js';
import { findStoppingAsOf } from '../stopping.pg.js';
import { candidatesOf } from './candidates.js';
import { lineageAsOf } from './lineage-as-of.js';
import type { Seeds } from './start.pg.js';

/** Tokens that are looked at, over all seeds, in each of two parts: ending within a day, and later. */
const LOOKED_AT = 200;
/** Where live ones alone are wanted: those that ended last, of which a live one may have come. */
const ENDED_LOOKED_AT = 100;
/** At least, of each name: a user has few tokens, and many names. */
const OF_A_NAME = { user: { live: 100, ended: 300 }, other: { live: 50, ended: 25 }, ofResource: { live: 1, ended: 1 } } as const;
/** Tokens whose lineage is read: the newest of those that may be live. */
const MAX_EXAMINED = 50;
const DAY_S = 86_400;

const CONFLICTS = `SELECT key FROM token WHERE tenant = $1 AND key = ANY ($2::bytea[]) AND conflict_ix < $3
  UNION ALL SELECT key FROM id_jag WHERE tenant = $1 AND key = ANY ($2) AND conflict_ix < $3`;

/** A token that what is compromised reaches, and by what of it. */
export interface ReachedToken<By> {
  readonly key: Buffer;
  readonly index: bigint;
  readonly kind: string;
  readonly user: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly resources: readonly number[];
  readonly iat: number;
  readonly exp: number | null;
  /** Not expired, contradicted or too old, and stopped by no rule. */
  readonly live: boolean;
  /** It would be live if no rule stopped it. */
  readonly stopped: boolean;
  readonly by: By;
}

export interface ReachedTokens<By> {
  /** Newest first. Without live ones only where `onlyLive` was asked for. */
  readonly tokens: readonly ReachedToken<By>[];
  /** More were there than are looked at. */
  readonly atLeast: boolean;
}

type CandidateRow = Candidate & { readonly cut_off: boolean };

/** Without a token, the one row says `cut_off` alone. */
interface Candidate {
  readonly [column: string]: unknown;
  readonly key: Buffer;
  readonly ix: string;
  readonly usr: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly res: readonly number[];
  readonly iat: string;
  readonly exp: string | null;
  readonly alive: boolean;
}

/**
 * Of the tokens that the seeds lead to, those of which `select` says by what they are reached. Without `judged`, nobody looks whether rules
 * stop them: `live` is what they would be if there were none.
 */
export async function findReachedTokens<By>(
  snapshot: Snapshot,
  reader: Reader,
  { seeds, onlyLive, select, judged = true }: { readonly seeds: Seeds; readonly onlyLive: boolean; readonly select: (keys: TokenKeys) => By | undefined; readonly judged?: boolean },
): Promise<ReachedTokens<By>> {
  const tenantKey = reader.tenantKey(snapshot.tenant);
  const clients = [...seeds.clients, ...(await findClients(snapshot, seeds.resources))];
  const seedCount = Math.max(1, seeds.users.length + clients.length + seeds.agents.length);
  const fewest = OF_A_NAME[seeds.users.length > 0 ? 'user' : seeds.resources.length > 0 ? 'ofResource' : 'other'];
  const { seeds: seedValues, ...statement } = candidatesOf(seeds, clients, onlyLive);
  const found = await snapshot.rows<CandidateRow | ({ readonly key: null; readonly cut_off: boolean } & Record<string, unknown>)>(statement, [
    String(snapshot.index),
    snapshot.at,
    snapshot.at - MAX_LINEAGE_AGE_S,
    Math.max(fewest.live, Math.ceil(LOOKED_AT / seedCount)),
    Math.max(fewest.ended, Math.ceil(ENDED_LOOKED_AT / seedCount)),
    snapshot.at + DAY_S,
    MAX_EXAMINED + 1,
    ...seedValues,
  ]);
  const rows = found.filter((row): row is CandidateRow => row.key !== null);
  const examined = rows.slice(0, MAX_EXAMINED);
  const lineages = await readLineages(snapshot, tenantKey, examined.map(({ key }) => ruleKeyFromBytes(key)));
  const keys = lineages.map((lineage) => keysOf(reader, tenantKey, lineage));
  const stopping = judged ? await findStoppingAsOf(snapshot, tenantKey, keys) : [];
  const tokens = examined.flatMap((row, nth): ReachedToken<By>[] => {
    const by = keys[nth] && select(keys[nth]);
    if (by === undefined) return [];
    const { broken, tokens: members, idJags } = lineages[nth]!;
    const alive = row.alive && !broken && keys[nth]!.grantedAt >= snapshot.at - MAX_LINEAGE_AGE_S && ![...members, ...idJags].some(({ conflict }) => conflict);
    const isStopped = judged && stopping[nth]!.length > 0;
    if (onlyLive && !alive) return [];
    return [
      {
        key: row.key,
        index: BigInt(row.ix),
        kind: members[0]!.facts.kind,
        user: row.usr,
        client: row.client,
        agent: row.agent,
        resources: row.res,
        iat: Number(row.iat),
        exp: row.exp === null ? null : Number(row.exp),
        live: alive && !isStopped,
        stopped: alive && isStopped,
        by,
      },
    ];
  });
  return { tokens, atLeast: rows.length > MAX_EXAMINED || found[0]!.cut_off };
}

/** Whatever a RAS issued for an ID-JAG is for the RAS itself, too. */
const CLIENTS_OF_RESOURCES = { name: 'reach-clients', text: `SELECT client FROM edge_seen WHERE tenant = $1 AND res = ANY ($2::int[]) AND first_ix < $3
  UNION SELECT c.id FROM entity r JOIN entity c ON c.tenant = $1 AND c.kind = 2 AND c.parts ->> 0 = r.parts ->> 0 AND c.from_ix < $3 WHERE r.tenant = $1 AND r.id = ANY ($2)` };

async function findClients(snapshot: Snapshot, resources: readonly number[]): Promise<readonly number[]> {
  if (resources.length === 0) return [];
  const rows = await snapshot.rows<{ client: number }>(CLIENTS_OF_RESOURCES, [resources, String(snapshot.index)]);
  return rows.map(({ client }) => client);
}

/** As of the snapshot's index, of tokens that were recorded below it. */
export async function readLineages(snapshot: Snapshot, tenantKey: Uint8Array, keys: readonly RuleKey[]): Promise<StoredLineage[]> {
  const found = (await snapshot.lineage.tokens(snapshot.tenant, keys)).map((lineage) => lineageAsOf(lineage!, tenantKey, snapshot.index));
  if (snapshot.present) return found;
  // The reader says what is contradicted now.
  const contradicted = [...new Set(found.flatMap(({ tokens, idJags }) => [...tokens, ...idJags]).flatMap(({ conflict, key }) => (conflict ? [key] : [])))];
  if (contradicted.length === 0) return found;
  const rows = await snapshot.rows<{ key: Buffer }>(CONFLICTS, [contradicted.map(ruleKeyToBytes), String(snapshot.index)]);
  const then = new Set(rows.map(({ key }) => ruleKeyFromBytes(key)));
  const asThen = <M extends { readonly key: RuleKey }>(member: M): M => ({ ...member, conflict: then.has(member.key) });
  return found.map((lineage) => ({ ...lineage, tokens: lineage.tokens.map(asThen), idJags: lineage.idJags.map(asThen) }));
}

export function keysOf(reader: Reader, tenantKey: Uint8Array, { tokens, idJags }: StoredLineage): TokenKeys | undefined {
  const members = [...tokens, ...idJags];
  return tokenKeys(tenantKey, {
    tokens: tokens.map(({ facts }) => facts),
    idJags: idJags.map(({ facts }) => facts),
    seenSeq: members.map(({ seenSeq }) => seenSeq).toSorted((a, b) => (a < b ? -1 : 1))[0],
    skew: reader.skew(members.map(({ source }) => source)),
  });
}
