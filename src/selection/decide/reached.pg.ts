import type { Snapshot, StoredLineage } from '../../projections/index.js';
import {
  MAX_LINEAGE_AGE_S,
  ruleKeyFromBytes,
  ruleKeyToBytes,
  type RuleKey,
  type TokenKeys,
} from '../../rules/index.js';
import { candidatesOf, listOf, type CandidateRow, type Told } from '../search/candidates.js';
import type { Control } from '../control.js';
import { keysOf, readLineages } from './lineages.pg.js';
import type { Seeds } from '../names/seeds.js';
import { findStoppingAsOf } from './stopping.pg.js';

/**
 * Tokens whose lineage one answer reads, the newest: some 100 µs each. If there are more, the numbers are lower bounds.
 */
const MAX_EXAMINED = 50_000;
/** Lineages that are read and judged at a time. Other requests of the process get their turn in between. */
const EXAMINED_AT_ONCE = 100;

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
  /** True to say which tokens rules stop. Otherwise no rule stops anything. */
  readonly stopped?: boolean;
}

/**
 * Finds the tokens reachable from the seeds, keeps those that `select` accepts, and says which of them rules stop as of
 * the snapshot.
 */
export async function findReachedTokens<By>(
  snapshot: Snapshot,
  control: Control,
  { seeds, onlyLive, select, stopped = false }: ReachedBy<By>,
): Promise<ReachedTokens<By>> {
  const tenantKey = control.tenantKey(snapshot.tenant);
  const { candidates, more } = await findCandidates(snapshot, seeds, onlyLive);
  const tokens: ReachedToken<By>[] = [];
  for (let at = 0; at < candidates.length; at += EXAMINED_AT_ONCE) {
    const some = candidates.slice(at, at + EXAMINED_AT_ONCE);
    const judged = await judge(snapshot, control, some);
    const found = some.flatMap(({ key, terms }, nth) => {
      const { keys, live, first } = judged[nth]!;
      const by = keys && select(keys);
      if (keys === undefined || by === undefined || (onlyLive && !live)) return [];
      const { ix: index, facts } = first;
      return { token: { ...terms, key: ruleKeyToBytes(key), index, kind: facts.kind, live, stopped: false, by }, keys };
    });
    const stopping = stopped
      ? await findStoppingAsOf(
          snapshot,
          tenantKey,
          found.map(({ token, keys }) => (token.live ? keys : undefined)),
        )
      : [];
    found.forEach(({ token }, nth) =>
      tokens.push((stopping[nth]?.length ?? 0) === 0 ? token : { ...token, live: false, stopped: true }),
    );
  }
  return { tokens, atLeast: more };
}

/** Keeps those tokens that are live and that `select` accepts. Each may be live as far as the token itself says. */
export async function keepSelected(
  snapshot: Snapshot,
  control: Control,
  keys: readonly RuleKey[],
  select: (keys: TokenKeys) => boolean,
): Promise<RuleKey[]> {
  const kept: RuleKey[] = [];
  for (let at = 0; at < keys.length; at += EXAMINED_AT_ONCE) {
    const some = keys.slice(at, at + EXAMINED_AT_ONCE);
    const judged = await judge(
      snapshot,
      control,
      some.map((key) => ({ key, alive: true })),
    );
    kept.push(...some.filter((_, nth) => judged[nth]!.live && select(judged[nth]!.keys!)));
  }
  return kept;
}

interface Judged {
  /** Undefined for a token that is never active. */
  readonly keys: TokenKeys | undefined;
  readonly live: boolean;
  readonly first: StoredLineage['tokens'][number];
}

/** Reads the lineages of tokens, and says which are live. */
async function judge(
  snapshot: Snapshot,
  control: Control,
  tokens: readonly Pick<Candidate, 'key' | 'alive'>[],
): Promise<readonly Judged[]> {
  const tenantKey = control.tenantKey(snapshot.tenant);
  const lineages = await readLineages(
    snapshot,
    tenantKey,
    tokens.map(({ key }) => key),
  );
  return lineages.map((lineage, nth) => {
    const keys = keysOf(control, tenantKey, lineage);
    const isContradicted = [...lineage.tokens, ...lineage.idJags].some(({ conflict }) => conflict);
    const live =
      tokens[nth]!.alive &&
      !lineage.broken &&
      !isContradicted &&
      keys !== undefined &&
      keys.grantedAt >= snapshot.at - MAX_LINEAGE_AGE_S;
    return { keys, live, first: lineage.tokens[0]! };
  });
}

interface Candidate {
  readonly key: RuleKey;
  readonly alive: boolean;
  readonly terms: Terms;
}

/** Finds the newest candidates, newest first. `more`: there are others. */
async function findCandidates(
  snapshot: Snapshot,
  seeds: Seeds,
  onlyLive: boolean,
): Promise<{ readonly candidates: readonly Candidate[]; readonly more: boolean }> {
  const search = candidatesOf(snapshot, seeds, { onlyLive, most: MAX_EXAMINED + 1 });
  const rows = (await snapshot.texts(listOf(search), search.values)) as readonly CandidateRow[];
  const candidates = rows.flatMap(([, ...told]) => (told[0] === null ? [] : candidateOf(told)));
  return {
    candidates: candidates.slice(0, MAX_EXAMINED),
    more: rows[0]![0] === 't' || candidates.length > MAX_EXAMINED,
  };
}

const candidateOf = ([key, user, client, agent, resources, iat, exp, alive]: Told): Candidate => ({
  key: ruleKeyFromBytes(Buffer.from(key.slice(2), 'hex')),
  alive: alive === 't',
  terms: {
    user: numberOrNull(user),
    client: Number(client),
    agent: numberOrNull(agent),
    resources: resources === '{}' ? [] : resources.slice(1, -1).split(',').map(Number),
    iat: Number(iat),
    exp: numberOrNull(exp),
  },
});

const numberOrNull = (text: string | null): number | null => (text === null ? null : Number(text));
