import { loadSql } from '../../platform/postgres/index.js';
import { MAX_COUNTED, type Moment, type Prepared } from '../../projections/index.js';
import { MAX_LINEAGE_AGE_S } from '../../rules/index.js';
import type { Seeds } from '../names/seeds.js';

/** Columns of a candidate after its key. */
const TOLD = [
  'CASE WHEN t.bound_ix < $2 THEN t.usr END',
  't.client',
  'CASE WHEN t.bound_ix < $2 AND coalesce(t.agent_ix, t.ix) < $2 THEN t.agent END',
  't.res',
  't.iat',
  't.exp',
  'a.alive',
] as const;
/**
 * A row in PostgreSQL's text format: whether more candidates exist than are looked at, then a candidate. If there is
 * none, the rest is null.
 */
export type CandidateRow = readonly [cutOff: string, ...told: Told];
export type Told = readonly [
  key: string,
  user: string | null,
  client: string,
  agent: string | null,
  resources: string,
  iat: string,
  exp: string | null,
  alive: string,
];

const CANDIDATES = loadSql(import.meta.url, 'candidates.sql');
const LIST = loadSql(import.meta.url, 'list-found.sql').replace('{told}', () => TOLD.join(', '));

/** SQL condition: the token may be live as of the snapshot, its lineage aside. */
const ALIVE = `((t.conflict_ix IS NULL OR t.conflict_ix >= $2) AND t.iat >= $4 AND (t.exp > $3 OR (t.exp IS NULL AND t.facts ->> 'kind' = 'refresh')))`;
const END = `coalesce(t.exp, t.iat + ${MAX_LINEAGE_AGE_S})`;
/** Number of the first seed parameter; every variant of `candidates.sql` has the parameters before it. */
const FIRST_SEED = 7;

type Column = 'usr' | 'client' | 'agent';

/** Finds tokens by their end through `token_usr_ends`, `token_client_ends` and `token_agent_ends`. */
const byEnd =
  (column: Column, part: string, range: string) =>
  (ids: string): string =>
    `SELECT '${part}', d.id, k.key, k.ix, k.alive FROM unnest(${ids}::int[]) d (id)
  CROSS JOIN LATERAL (
    SELECT t.key, t.ix, ${ALIVE} AS alive FROM token t
    WHERE t.tenant = $1 AND t.${column} = d.id AND ${range} AND t.ix < $2::bigint
    ORDER BY ${END} DESC LIMIT $5
  ) k`;
const live = (column: Column) => byEnd(column, 'l', `${END} > $3::bigint`);
/** Ended tokens: a live token may descend from one. */
const ended = (column: Column) => byEnd(column, 'e', `${END} > $4::bigint AND ${END} <= $3`);
/** Finds the newest tokens, live or not. */
const newest =
  (column: Column, most = '$5') =>
  (ids: string): string =>
    `SELECT 'a', d.id, k.key, k.ix, k.alive FROM unnest(${ids}::int[]) d (id)
  CROSS JOIN LATERAL (SELECT t.key, t.ix, ${ALIVE} AS alive FROM token t WHERE t.tenant = $1 AND t.${column} = d.id AND t.ix < $2::bigint ORDER BY t.ix DESC LIMIT ${most}) k`;
/**
 * Finds tokens by key. A key that no event reported stays in the result, because descendants of the token may name it.
 */
const byKey = (keys: string): string => `SELECT 't', 0, k.key, t.ix, t.alive FROM unnest(${keys}::bytea[]) k (key)
  LEFT JOIN LATERAL (SELECT t.ix, ${ALIVE} AS alive FROM token t WHERE t.tenant = $1 AND t.key = k.key AND t.ix < $2::bigint LIMIT 1) t ON true`;
const byIdJag = (keys: string): string => `(SELECT 'j', 0, t.key, t.ix, ${ALIVE} FROM unnest(${keys}::bytea[]) k (key)
  CROSS JOIN LATERAL (SELECT * FROM token t WHERE t.tenant = $1 AND t.id_jag_key = k.key AND t.ix < $2::bigint LIMIT $5) t LIMIT $5)`;
/** Finds the children of the tokens of `of`, also through a later ID-JAG: `token_parent`, `id_jag_parent`. */
const childrenOf = (
  of: string,
): string => `SELECT t.key, t.ix, ${ALIVE} AS alive FROM token t WHERE t.tenant = $1 AND t.parent_key = ANY (ARRAY(SELECT key FROM ${of})) AND t.ix < $2
  UNION ALL
  SELECT t.key, t.ix, t.alive FROM id_jag j
  CROSS JOIN LATERAL (SELECT t.key, t.ix, ${ALIVE} AS alive FROM token t WHERE t.tenant = $1 AND t.id_jag_key IN (j.key, j.sha_key) AND t.ix < $2 OFFSET 0) t
  WHERE j.tenant = $1 AND j.parent_key = ANY (ARRAY(SELECT key FROM ${of})) AND j.ix < $2`;

/** The candidates of some seeds: a statement lacks its last part, which says what is done with them. */
export interface Candidates {
  /** Differs for each text. */
  readonly name: string;
  readonly text: string;
  /** Values of `$2` and on. */
  readonly values: readonly unknown[];
}

export interface Wanted {
  /** Only tokens that may be live. */
  readonly onlyLive: boolean;
  /** Tokens returned, the newest. Null: all. */
  readonly most: number | null;
}

const texts = new Map<string, string>();

/** A kind of seeds: the branches that find its tokens, and the SQL of its ids or keys. */
interface Kind {
  readonly branches: readonly ((values: string) => string)[];
  readonly values: string;
}

/** Builds the search for the given seeds only: the planner skips kinds that are absent. */
export function candidatesOf({ index, at }: Moment, seeds: Seeds, { onlyLive, most }: Wanted): Candidates {
  const named = (column: Column) => (onlyLive ? [live(column), ended(column)] : [newest(column)]);
  const all = [
    { letter: 'u', values: seeds.users, branches: named('usr') },
    { letter: 'c', values: seeds.clients, branches: named('client') },
    { letter: 'a', values: seeds.agents, branches: named('agent') },
    { letter: 't', values: seeds.tokens, branches: [byKey] },
    { letter: 'j', values: seeds.idJags, branches: [byIdJag] },
  ].filter(({ values }) => values.length > 0);
  // Without any seed, one empty branch finds nothing.
  const used = all.length > 0 ? all : [{ letter: 't', values: [], branches: [byKey] }];
  const name = `reach-candidates-${used.map(({ letter }) => letter).join('')}${onlyLive ? '-live' : ''}`;
  let text = texts.get(name);
  if (text === undefined) {
    text = textOf(
      used.map(({ branches }, nth) => ({ branches, values: `$${FIRST_SEED + nth}` })),
      onlyLive,
    );
    texts.set(name, text);
  }
  const seedValues = used.map(({ values }) => values);
  return { name, text, values: [String(index), at, at - MAX_LINEAGE_AGE_S, MAX_COUNTED, most, ...seedValues] };
}

/**
 * Builds the search for a statement that searches for many rules at a time: the seeds are columns of its row `s`. It
 * looks at the newest tokens of each seed, live or not. The seeds of a row share `most`, so that a resource with many
 * clients takes no longer than a user.
 */
export const candidatesOfRow = ({ index, at }: Moment, most: number): Candidates => ({
  name: 'candidates-of-row',
  text: OF_ROW,
  values: [String(index), at, at - MAX_LINEAGE_AGE_S, most, null],
});

function textOf(kinds: readonly Kind[], onlyLive: boolean): string {
  const branches = kinds.flatMap(({ branches: of, values }) => of.map((branch) => branch(values)));
  return CANDIDATES.replaceAll('{alive}', () => ALIVE)
    .replaceAll('{wanted}', onlyLive ? 'alive' : 'true')
    .replace('{children}', () => childrenOf('seeded'))
    .replace('{grandchildren}', () => childrenOf('first'))
    .replace('{seeds}', () => branches.join('\n  UNION ALL\n  '));
}

/** SQL of the tokens that the search of a row looks at per seed. */
export const MOST_OF_ROW =
  'greatest(1, $5::int / greatest(1, cardinality(s.users) + cardinality(s.clients) + cardinality(s.agents)))';

const OF_ROW = textOf(
  [
    { branches: [newest('usr', MOST_OF_ROW)], values: 's.users' },
    { branches: [newest('client', MOST_OF_ROW)], values: 's.clients' },
    { branches: [newest('agent', MOST_OF_ROW)], values: 's.agents' },
    { branches: [byKey], values: 's.tokens' },
    { branches: [byIdJag], values: 's.id_jags' },
  ],
  false,
);

/** Lists the candidates, each as a {@link CandidateRow}. */
export const listOf = ({ name, text }: Candidates): Prepared => ({ name, text: text.replace('{then}', () => LIST) });
