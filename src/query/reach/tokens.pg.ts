import type { NearestRow, StoredLineage } from '../../projections/index.js';
import { MAX_LINEAGE_AGE_S, ruleKeyFromBytes, ruleKeyToBytes, tokenKeys, type RuleKey, type TokenKeys } from '../../rules/index.js';
import type { Reader } from '../reader.js';
import type { Snapshot } from '../snapshot.pg.js';
import { findStoppingAsOf } from '../stopping.pg.js';
import { candidatesOf, TOLD_COLUMNS, type CandidateRow, type Told } from './candidates.js';
import { lineageAsOf } from './lineage-as-of.js';
import type { Seeds } from './start.pg.js';

/** Where live ones alone are wanted: those that ended last, of which a live one may have come, over all seeds. */
const ENDED_LOOKED_AT = 100;
/**
 * At least, of each name: a user has few tokens, and many names. Over all seeds twice as many are looked at as are examined, of
 * one no more than that, in each of two parts: ending within a day, and later.
 */
const OF_A_NAME = { user: { live: 100, ended: 300 }, other: { live: 5, ended: 5 }, ofResource: { live: 1, ended: 1 } } as const;
/** Tokens whose lineage is read unless it is said: the newest of those that may be live. */
const MAX_EXAMINED = 50;
const DAY_S = 86_400;

const CONFLICTS = `SELECT key FROM token WHERE tenant = $1 AND key = ANY ($2::bytea[]) AND conflict_ix < $3
  UNION ALL SELECT key FROM id_jag WHERE tenant = $1 AND key = ANY ($2) AND conflict_ix < $3`;

/** Whose a token is, what for and how long: small ids, epoch seconds. */
interface Terms {
  readonly user: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly resources: readonly number[];
  readonly iat: number;
  readonly exp: number | null;
}

/** A token that what is compromised reaches, and by what of it. */
export interface ReachedToken<By> extends Terms {
  readonly key: Buffer;
  readonly index: bigint;
  readonly kind: string;
  /** Not expired, contradicted or too old, and stopped by no rule. */
  readonly live: boolean;
  /** It would be live if no rule stopped it. */
  readonly stopped: boolean;
  readonly by: By;
  readonly keys: TokenKeys;
}

export interface ReachedTokens<By> {
  /** Newest first. Without live ones only where `onlyLive` was asked for. */
  readonly tokens: readonly ReachedToken<By>[];
  /** More were there than are looked at. */
  readonly atLeast: boolean;
}

/**
 * Of the tokens that the seeds lead to, those of which `select` says by what they are reached. Nobody looks whether rules stop them: `live` is
 * what they would be if there were none, until {@link judge}.
 */
export async function findReachedTokens<By>(
  snapshot: Snapshot,
  reader: Reader,
  { seeds, onlyLive, select, most = MAX_EXAMINED }: { readonly seeds: Seeds; readonly onlyLive: boolean; readonly select: (keys: TokenKeys) => By | undefined; readonly most?: number },
): Promise<ReachedTokens<By>> {
  const tenantKey = reader.tenantKey(snapshot.tenant);
  const seedCount = Math.max(1, seeds.users.length + seeds.clients.length + seeds.agents.length);
  const fewest = OF_A_NAME[seeds.users.length > 0 ? 'user' : seeds.ofResource ? 'ofResource' : 'other'];
  const { seeds: seedValues, ...statement } = candidatesOf(seeds, onlyLive);
  const rows = (await snapshot.texts(statement, [
    String(snapshot.index),
    snapshot.at,
    snapshot.at - MAX_LINEAGE_AGE_S,
    Math.max(fewest.live, Math.min(most + 1, Math.ceil((2 * (most + 1)) / seedCount))),
    Math.max(fewest.ended, Math.ceil(ENDED_LOOKED_AT / seedCount)),
    snapshot.at + DAY_S,
    most + 1,
    ...seedValues,
  ])) as readonly CandidateRow[];
  const { examined, nearest, more } = readCandidates(rows, most);
  const found = await snapshot.lineage.ofNearest(snapshot.tenant, examined.map(({ key }) => key), nearest);
  const lineages = await asOfIndex(snapshot, tenantKey, found);
  const keys = lineages.map((lineage) => keysOf(reader, tenantKey, lineage));
  const tokens = examined.flatMap((row, nth): ReachedToken<By>[] => {
    const by = keys[nth] && select(keys[nth]);
    if (by === undefined) return [];
    const { broken, tokens: members, idJags } = lineages[nth]!;
    const alive = row.alive && !broken && keys[nth]!.grantedAt >= snapshot.at - MAX_LINEAGE_AGE_S && ![...members, ...idJags].some(({ conflict }) => conflict);
    if (onlyLive && !alive) return [];
    return [
      {
        key: ruleKeyToBytes(row.key),
        index: members[0]!.ix,
        kind: members[0]!.facts.kind,
        user: row.user,
        client: row.client,
        agent: row.agent,
        resources: row.resources,
        iat: row.iat,
        exp: row.exp,
        live: alive,
        stopped: false,
        by,
        keys: keys[nth]!,
      },
    ];
  });
  return { tokens, atLeast: more };
}

/** What rules make of them, as of the snapshot. */
export async function judge<By>(snapshot: Snapshot, reader: Reader, { tokens, atLeast }: ReachedTokens<By>, leads: ReadonlySet<RuleKey> | undefined): Promise<ReachedTokens<By>> {
  const stopping = await findStoppingAsOf(snapshot, reader.tenantKey(snapshot.tenant), tokens.map(({ live, keys }) => (live ? keys : undefined)), leads);
  return { tokens: tokens.map((token, nth) => (stopping[nth]!.length === 0 ? token : { ...token, live: false, stopped: true })), atLeast };
}

const numberOrNull = (text: string | null): number | null => (text === null ? null : Number(text));

/** The newest of them, newest first, in the words of rows that may be two to a token; and whether there were more. */
function readCandidates(rows: readonly CandidateRow[], most: number) {
  const examined: Candidate[] = [];
  const nearest: NearestRow[] = [];
  let more = rows[0]![0] === 't';
  for (const row of rows) {
    if (row[1] === null) continue;
    const nth = Number(row[1]);
    if (nth > most) {
      more = true;
      continue;
    }
    nearest.push(row.slice(1) as unknown as NearestRow);
    const [key, user, client, agent, resources, iat, exp, alive] = row.slice(-TOLD_COLUMNS) as unknown as Told;
    examined[nth - 1] = {
      key: ruleKeyFromBytes(Buffer.from(key.slice(2), 'hex')),
      user: numberOrNull(user),
      client: Number(client),
      agent: numberOrNull(agent),
      resources: resources === '{}' ? [] : resources.slice(1, -1).split(',').map(Number),
      iat: Number(iat),
      exp: numberOrNull(exp),
      alive: alive === 't',
    };
  }
  return { examined, nearest, more };
}

interface Candidate extends Terms {
  readonly key: RuleKey;
  readonly alive: boolean;
}

/** As of the snapshot's index, of tokens that were recorded below it. */
export async function readLineages(snapshot: Snapshot, tenantKey: Uint8Array, keys: readonly RuleKey[]): Promise<StoredLineage[]> {
  return asOfIndex(snapshot, tenantKey, await snapshot.lineage.tokens(snapshot.tenant, keys));
}

async function asOfIndex(snapshot: Snapshot, tenantKey: Uint8Array, lineages: readonly (StoredLineage | undefined)[]): Promise<StoredLineage[]> {
  const found = lineages.map((lineage) => lineageAsOf(lineage!, tenantKey, snapshot.index));
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
