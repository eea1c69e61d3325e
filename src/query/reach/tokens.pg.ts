import { MAX_COUNTED, type StoredLineage } from '../../projections/index.js';
import {
  MAX_LINEAGE_AGE_S,
  ruleKeyFromBytes,
  ruleKeyToBytes,
  tokenKeys,
  type RuleKey,
  type TokenKeys,
} from '../../rules/index.js';
import type { Reader } from '../ask/reader.js';
import type { Snapshot } from '../ask/snapshot.pg.js';
import { findStoppingAsOf } from '../stopping.pg.js';
import { candidatesOf, type CandidateRow, type Told } from './candidates.js';
import { lineageAsOf } from './lineage-as-of.js';
import type { Seeds } from './start.pg.js';

/**
 * Tokens whose lineage one answer reads, the newest: some 100 µs each. If there are more, the numbers are lower bounds.
 */
const MAX_EXAMINED = 50_000;
/** Lineages that are read and judged at a time. Other requests of the process get their turn in between. */
const EXAMINED_AT_ONCE = 100;

const CONFLICTS = `SELECT key FROM token WHERE tenant = $1 AND key = ANY ($2::bytea[]) AND conflict_ix < $3
  UNION ALL SELECT key FROM id_jag WHERE tenant = $1 AND key = ANY ($2) AND conflict_ix < $3`;

/** Holder, purpose and lifetime of a token: small ids, epoch seconds. */
interface Terms {
  readonly user: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly resources: readonly number[];
  readonly iat: number;
  readonly exp: number | null;
}

/** A token that is reached, and the name by which it is. */
export interface ReachedToken<By> extends Terms {
  readonly key: Buffer;
  readonly index: bigint;
  readonly kind: string;
  /** True if the token is not expired, contradicted or too old, and none of the given rules stops it. */
  readonly live: boolean;
  /** True if the token would be live without the rule that stops it. */
  readonly stopped: boolean;
  readonly by: By;
}

export interface ReachedTokens<By> {
  /** Newest first. With `onlyLive`, they are the live ones and those that would be live without a rule. */
  readonly tokens: readonly ReachedToken<By>[];
  /** There are more tokens than were looked at. */
  readonly atLeast: boolean;
}

export interface ReachedBy<By> {
  readonly seeds: Seeds;
  readonly onlyLive: boolean;
  /** Returns the name by which a token with these keys is reached; undefined if it is not reached. */
  readonly select: (keys: TokenKeys) => By | undefined;
  /**
   * `leads`: first keys of the selectors of all rules, or undefined if there are too many. Without `rules`, no rule
   * stops anything.
   */
  readonly rules?: { readonly leads: ReadonlySet<RuleKey> | undefined };
}

/**
 * Finds the tokens reachable from the seeds, keeps those that `select` accepts, and says which of them `rules` stop as
 * of the snapshot.
 */
export async function findReachedTokens<By>(
  snapshot: Snapshot,
  reader: Reader,
  { seeds, onlyLive, select, rules }: ReachedBy<By>,
): Promise<ReachedTokens<By>> {
  const tenantKey = reader.tenantKey(snapshot.tenant);
  const { candidates, more } = await findCandidates(snapshot, seeds, onlyLive);
  const tokens: ReachedToken<By>[] = [];
  for (let at = 0; at < candidates.length; at += EXAMINED_AT_ONCE) {
    const some = candidates.slice(at, at + EXAMINED_AT_ONCE);
    const lineages = await readLineages(
      snapshot,
      tenantKey,
      some.map(({ key }) => key),
    );
    const found = some.flatMap((candidate, nth) => {
      const one = examine(snapshot, candidate, lineages[nth]!, keysOf(reader, tenantKey, lineages[nth]!), select);
      return one && (one.token.live || !onlyLive) ? one : [];
    });
    const stopping = rules
      ? await findStoppingAsOf(
          snapshot,
          tenantKey,
          found.map(({ token, keys }) => (token.live ? keys : undefined)),
          rules.leads,
        )
      : [];
    found.forEach(({ token }, nth) =>
      tokens.push((stopping[nth]?.length ?? 0) === 0 ? token : { ...token, live: false, stopped: true }),
    );
  }
  return { tokens, atLeast: more };
}

function examine<By>(
  { at }: Snapshot,
  { alive, key, ...terms }: Candidate,
  { broken, tokens: members, idJags }: StoredLineage,
  keys: TokenKeys | undefined,
  select: (keys: TokenKeys) => By | undefined,
): { readonly token: ReachedToken<By>; readonly keys: TokenKeys } | undefined {
  const by = keys && select(keys);
  if (keys === undefined || by === undefined) return undefined;
  const live =
    alive &&
    !broken &&
    keys.grantedAt >= at - MAX_LINEAGE_AGE_S &&
    ![...members, ...idJags].some(({ conflict }) => conflict);
  const { ix, facts } = members[0]!;
  return { token: { ...terms, key: ruleKeyToBytes(key), index: ix, kind: facts.kind, live, stopped: false, by }, keys };
}

interface Candidate extends Terms {
  readonly key: RuleKey;
  readonly alive: boolean;
}

/** Finds the newest candidates, newest first. `more`: there are others. */
async function findCandidates(
  snapshot: Snapshot,
  seeds: Seeds,
  onlyLive: boolean,
): Promise<{ readonly candidates: readonly Candidate[]; readonly more: boolean }> {
  const { seeds: seedValues, ...statement } = candidatesOf(seeds, onlyLive);
  const rows = (await snapshot.texts(statement, [
    String(snapshot.index),
    snapshot.at,
    snapshot.at - MAX_LINEAGE_AGE_S,
    MAX_COUNTED,
    MAX_EXAMINED + 1,
    ...seedValues,
  ])) as readonly CandidateRow[];
  const candidates = rows.flatMap(([, ...told]) => (told[0] === null ? [] : candidateOf(told)));
  return {
    candidates: candidates.slice(0, MAX_EXAMINED),
    more: rows[0]![0] === 't' || candidates.length > MAX_EXAMINED,
  };
}

const candidateOf = ([key, user, client, agent, resources, iat, exp, alive]: Told): Candidate => ({
  key: ruleKeyFromBytes(Buffer.from(key.slice(2), 'hex')),
  user: numberOrNull(user),
  client: Number(client),
  agent: numberOrNull(agent),
  resources: resources === '{}' ? [] : resources.slice(1, -1).split(',').map(Number),
  iat: Number(iat),
  exp: numberOrNull(exp),
  alive: alive === 't',
});

const numberOrNull = (text: string | null): number | null => (text === null ? null : Number(text));

/** Reads the lineages of tokens as of the snapshot's index. The tokens must have been recorded below it. */
export async function readLineages(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  keys: readonly RuleKey[],
): Promise<StoredLineage[]> {
  return asOfIndex(snapshot, tenantKey, await snapshot.lineage.tokens(snapshot.tenant, keys));
}

async function asOfIndex(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  lineages: readonly (StoredLineage | undefined)[],
): Promise<StoredLineage[]> {
  const found = lineages.map((lineage) => lineageAsOf(lineage!, tenantKey, snapshot.index));
  if (snapshot.present) return found;
  // The reader marks members that are contradicted now; this keeps the mark for those that were at the index.
  const contradicted = [
    ...new Set(
      found
        .flatMap(({ tokens, idJags }) => [...tokens, ...idJags])
        .flatMap(({ conflict, key }) => (conflict ? [key] : [])),
    ),
  ];
  if (contradicted.length === 0) return found;
  const rows = await snapshot.rows<{ key: Buffer }>(CONFLICTS, [
    contradicted.map(ruleKeyToBytes),
    String(snapshot.index),
  ]);
  const then = new Set(rows.map(({ key }) => ruleKeyFromBytes(key)));
  const asThen = <M extends { readonly key: RuleKey }>(member: M): M => ({ ...member, conflict: then.has(member.key) });
  return found.map((lineage) => ({
    ...lineage,
    tokens: lineage.tokens.map(asThen),
    idJags: lineage.idJags.map(asThen),
  }));
}

export function keysOf(
  reader: Reader,
  tenantKey: Uint8Array,
  { tokens, idJags }: StoredLineage,
): TokenKeys | undefined {
  const members = [...tokens, ...idJags];
  return tokenKeys(tenantKey, {
    tokens: tokens.map(({ facts }) => facts),
    idJags: idJags.map(({ facts }) => facts),
    seenSeq: members.map(({ seenSeq }) => seenSeq).toSorted((a, b) => (a < b ? -1 : 1))[0],
    skew: reader.skew(members.map(({ source }) => source)),
  });
}
