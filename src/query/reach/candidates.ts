import { loadSql } from '../../platform/index.js';
import { nearestOf, type NearestRow } from '../../projections/index.js';
import type { Seeds } from './start.pg.js';

/** What is told of a candidate beside its lineage. */
const TOLD = ['a.key', 'CASE WHEN t.bound_ix < $2 THEN t.usr END', 't.client', 'CASE WHEN t.bound_ix < $2 AND coalesce(t.agent_ix, t.ix) < $2 THEN t.agent END', 't.res', 't.iat', 't.exp', 'a.alive'] as const;
export const TOLD_COLUMNS = TOLD.length;
/** As PostgreSQL spells it: whether there was more than is looked at, and a token with its ID-JAG; without any token the rest is null. */
export type CandidateRow = readonly [cutOff: string, ...nearest: NearestRow, ...told: Told];
export type Told = readonly [key: string, user: string | null, client: string, agent: string | null, resources: string, iat: string, exp: string | null, alive: string];

const CANDIDATES = loadSql(import.meta.url, 'candidates.sql');

/** What may be live as of the snapshot, its lineage apart. */
const ALIVE = `((t.conflict_ix IS NULL OR t.conflict_ix >= $2) AND t.iat >= $4 AND (t.exp > $3 OR (t.exp IS NULL AND t.facts ->> 'kind' = 'refresh')))`;
const END = 'coalesce(t.exp, t.iat + 2592000)';
/** Parameters of `candidates.sql` that every variant has. */
const FIRST_SEED = 9;

type Column = 'usr' | 'client' | 'agent';

/** By their end, in parts: `token_usr_ends`, `token_client_ends`, `token_agent_ends`. */
const live = (column: Column, parts = 'reach') => (ids: string): string => `SELECT r.part, d.id, r.most, k.key, k.ix, k.alive FROM unnest(${ids}::int[]) d (id) CROSS JOIN ${parts} r
  CROSS JOIN LATERAL (
    SELECT t.key, t.ix, ${ALIVE} AS alive FROM token t
    WHERE t.tenant = $1 AND t.${column} = d.id AND ${END} > r.low AND ${END} <= r.high AND t.ix < $2::bigint
    ORDER BY ${END} DESC LIMIT r.most
  ) k`;
/** Those that ended last. */
const ended = (column: Column) => (ids: string): string => `${live(column, 'past')(ids)} WHERE (SELECT further FROM asked)`;
/** The newest, live or not. */
const newest = (column: Column) => (ids: string): string => `SELECT 'a', d.id, $5::int, k.key, k.ix, k.alive FROM unnest(${ids}::int[]) d (id)
  CROSS JOIN LATERAL (SELECT t.key, t.ix, ${ALIVE} AS alive FROM token t WHERE t.tenant = $1 AND t.${column} = d.id AND t.ix < $2::bigint ORDER BY t.ix DESC LIMIT $5) k`;
/** Also one that nobody has told of: what came of it may name it. */
const byKey = (keys: string): string => `SELECT 't', 0, 2147483647, k.key, t.ix, t.alive FROM unnest(${keys}::bytea[]) k (key)
  LEFT JOIN LATERAL (SELECT t.ix, ${ALIVE} AS alive FROM token t WHERE t.tenant = $1 AND t.key = k.key AND t.ix < $2::bigint LIMIT 1) t ON true`;
const byIdJag = (keys: string): string => `(SELECT 'j', 0, $5::int, t.key, t.ix, ${ALIVE} FROM unnest(${keys}::bytea[]) k (key)
  CROSS JOIN LATERAL (SELECT * FROM token t WHERE t.tenant = $1 AND t.id_jag_key = k.key AND t.ix < $2::bigint LIMIT $5) t LIMIT $5)`;
/** Whose user nobody had said: the RAS's own name for it may be in the facts, and it shows in no grant of a resource. */
const UNNAMED = [
  `(SELECT 'n', 0, $5::int, t.key, t.ix, ${ALIVE} FROM token t WHERE t.tenant = $1 AND t.usr IS NULL AND t.ix < $2::bigint ORDER BY t.ix DESC LIMIT $5)`,
  `(SELECT 'o', 0, $5::int, t.key, t.ix, ${ALIVE} FROM token t WHERE t.tenant = $1 AND t.bound_ix > t.ix AND t.bound_ix >= $2::bigint AND t.ix < $2 ORDER BY t.bound_ix LIMIT $5)`,
];

const NO_ENDED = `SELECT NULL, NULL::int, NULL::int, NULL::bytea, NULL::bigint, NULL::boolean WHERE false`;

/** What came of the tokens of `of`, also by way of a later ID-JAG: `token_parent`, `id_jag_parent`. */
const childrenOf = (of: string, where = ''): string => `SELECT t.key, t.ix, ${ALIVE} AS alive FROM token t WHERE ${where}t.tenant = $1 AND t.parent_key = ANY (ARRAY(SELECT key FROM ${of})) AND t.ix < $2
  UNION ALL
  SELECT t.key, t.ix, t.alive FROM id_jag j
  CROSS JOIN LATERAL (SELECT t.key, t.ix, ${ALIVE} AS alive FROM token t WHERE t.tenant = $1 AND t.id_jag_key IN (j.key, j.sha_key) AND t.ix < $2 OFFSET 0) t
  WHERE ${where}j.tenant = $1 AND j.parent_key = ANY (ARRAY(SELECT key FROM ${of})) AND j.ix < $2`;

export interface CandidatesStatement {
  readonly name: string;
  readonly text: string;
  /** From `$9` on. */
  readonly seeds: readonly unknown[];
}

const texts = new Map<string, string>();

/** Only the seeds that there are: what is left out need not be planned. */
export function candidatesOf(seeds: Seeds, onlyLive: boolean): CandidatesStatement {
  const named = onlyLive ? live : newest;
  const all = [
    { letter: 'u', values: seeds.users, branch: named('usr'), past: ended('usr') },
    { letter: 'c', values: seeds.clients, branch: named('client'), past: ended('client') },
    { letter: 'a', values: seeds.agents, branch: named('agent'), past: ended('agent') },
    { letter: 't', values: seeds.tokens, branch: byKey, past: undefined },
    { letter: 'j', values: seeds.idJags, branch: byIdJag, past: undefined },
  ].filter(({ values }) => values.length > 0);
  const unnamed = seeds.users.length > 0 || seeds.ofResource;
  // Without any seed there is nothing to find.
  const used = all.length + Number(unnamed) > 0 ? all : [{ letter: 't', values: [], branch: byKey, past: undefined }];
  const name = `reach-candidates-${used.map(({ letter }) => letter).join('')}${unnamed ? 'n' : ''}${onlyLive ? '-live' : ''}`;
  let text = texts.get(name);
  if (text === undefined) {
    const branches = [...used.map(({ branch }, nth) => branch(`$${FIRST_SEED + nth}`)), ...(unnamed ? UNNAMED : [])];
    const past = onlyLive ? used.flatMap(({ past: of }, nth) => of?.(`$${FIRST_SEED + nth}`) ?? []) : [];
    text = CANDIDATES.replaceAll('{alive}', () => ALIVE)
      .replaceAll('{wanted}', onlyLive ? 'alive' : 'true')
      .replace('{children}', () => childrenOf('origin'))
      .replace('{grandchildren}', () => childrenOf('first', '(SELECT further FROM asked) AND '))
      .replace('{nearest}', () => nearestOf('ranked', TOLD))
      .replace('{ended}', () => (past.length > 0 ? past.join('\n  UNION ALL\n  ') : NO_ENDED))
      .replace('{seeds}', () => branches.join('\n  UNION ALL\n  '));
    texts.set(name, text);
  }
  return { name, text, seeds: used.map(({ values }) => values) };
}
