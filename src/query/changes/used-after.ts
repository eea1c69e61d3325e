import { loadSql } from '../../platform/postgres/index.js';
import { ENTITY_KINDS, TURNED_MS, turnedBelow } from '../../projections/index.js';
import { DIMENSION_TABLE, KEPT_S, type Effect, type Selector } from '../../rules/index.js';

/** Rules that one answer looks at, the newest. */
export const MAX_RULES_COMPARED = 100;
/** Uses that are walked for one rule, the newest. */
export const MAX_USES_A_RULE = 1_000;

/** Dimensions whose values uses are recorded with, in order of preference: one that usually leaves more uses comes later. */
const RECORDED = (['user', 'agent', 'client', 'resource'] as const).map((dimension) => ({
  dimension,
  /** Column of `access`, named like that of `token`. */
  column: DIMENSION_TABLE[dimension].column!,
  kind: ENTITY_KINDS[dimension],
  ids: `${dimension}_ids`,
}));
/** Members that can drive the walk. */
const DRIVERS = [{ ids: 'token', column: 'tok' }, ...RECORDED];
/** Dimensions that no column records: the reader of the result decides by the facts. */
const IN_FACTS = ['agent_type', 'issuer'] as const;

const COLUMNS =
  'a.ix, a.bound_ix, a.at, a.until_at, a.usr, a.client, a.agent, a.agent_ix, a.res, a.outcome, a.tok, a.n';

/**
 * SQL of the walks; for each rule one of them has ids. `bound_ix` is compared by a difference, for which the planner
 * estimates the same for all values. Otherwise PostgreSQL would plan anew each time, which takes as long as the run.
 */
const WALKS = [
  ...DRIVERS.map(({ ids, column }, nth) => {
    const before = DRIVERS.slice(0, nth).map((other) => ` AND s.${other.ids} IS NULL`);
    const driving = ids === 'token' ? 'ARRAY[s.token]' : `s.${ids}`;
    return walkOf(
      `unnest(CASE WHEN s.${ids} IS NOT NULL${before.join('')} THEN ${driving} END) AS d (id)`,
      `a.${column} = d.id AND `,
    );
  }),
  // Without a driver, all uses are walked: access_at.
  walkOf(`(SELECT 1 WHERE ${DRIVERS.map(({ ids }) => `s.${ids} IS NULL`).join(' AND ')}) AS d`, ''),
];

function walkOf(driving: string, condition: string): string {
  return `SELECT a.* FROM ${driving}
      CROSS JOIN LATERAL (
        SELECT ${COLUMNS} FROM access a
        WHERE a.tenant = $1 AND ${condition}a.at > s.after AND a.at < s.before AND a.bound_ix - $3 < 0
        ORDER BY a.at DESC, a.ix DESC
        LIMIT {budget}
      ) a`;
}

/** A use is new when both the use and the rule are known. */
const KNOWN = 'greatest(w.bound_ix, s.known_ix)';
const AGENT = 'CASE WHEN w.agent_ix IS NULL OR w.agent_ix < $3 THEN w.agent END';
const GROUPED = `SELECT encode(w.tok, 'hex') AS token, w.usr, w.client, ${AGENT} AS agent, w.res, sum(w.n)::bigint AS uses, min(w.at) AS at, max(w.until_at) AS last_at,
        (array_agg(w.ix ORDER BY w.at, w.ix))[1] AS access, min(${KNOWN}) AS first_ix, max(${KNOWN}) AS last_ix
      FROM walked w
      WHERE w.outcome = 1 AND ${KNOWN} >= $2::bigint`;
const BY_TOKEN = `GROUP BY w.tok, w.usr, w.client, ${AGENT}, w.res`;

const MEMBERS = ['token', ...RECORDED.map(({ dimension }) => dimension), ...IN_FACTS].join(',');
/** Condition for rules whose uses can be found: they name neither a session nor an ID-JAG, and are not on everything. */
const ABOUT = `selector - '{${MEMBERS}}'::text[] = '{}'`;
const IDS = RECORDED.map(
  ({ dimension, kind, ids }) =>
    `CASE WHEN r.selector ? '${dimension}' THEN ARRAY(SELECT id FROM every x WHERE x.nth = r.nth AND x.kind = ${kind}) END AS ${ids}`,
);
const MATCHING = RECORDED.map(({ column, ids }) =>
  column === 'agent'
    ? `AND (s.${ids} IS NULL OR (w.agent = ANY (s.${ids}) AND (w.agent_ix IS NULL OR w.agent_ix < $3)))`
    : `AND (s.${ids} IS NULL OR w.${column} = ANY (s.${ids}))`,
);

/** Says whether uses of the rule's walk may be of others, so that `rules/` decides for each. */
export const isInFacts = (selector: Selector): boolean =>
  selector.agent_type !== undefined || (selector.issuer !== undefined && Object.keys(selector).length === 1);

export const USED_AFTER = loadSql(import.meta.url, 'used-after.sql')
  .replaceAll('{about}', ABOUT)
  .replace('{kinds}', RECORDED.map(({ kind }) => kind).join(', '))
  .replace('{recorded}', RECORDED.map(({ dimension }) => dimension).join(','))
  .replace('{ids}', IDS.join(',\n         '))
  .replace('{matching}', () => MATCHING.join('\n        '))
  .replaceAll('{turned_ms}', TURNED_MS)
  .replace('{turned}', () => turnedBelow('$3'))
  .replace('{walks}', WALKS.join('\n      UNION ALL\n      '))
  .replaceAll('{grouped}', () => GROUPED)
  .replaceAll('{by_token}', () => BY_TOKEN)
  .replaceAll('{columns}', COLUMNS)
  .replaceAll('{kept}', String(KEPT_S))
  .replaceAll('{rules}', String(MAX_RULES_COMPARED))
  .replaceAll('{budget}', String(MAX_USES_A_RULE));

/** The result of `used-after.sql`. */
export interface UsedAfter {
  /** There are more rules than were looked at. */
  readonly cut: boolean;
  readonly uses: readonly PartRow[] | null;
  /** Rules with some later use. A rule of several selectors has a row for each. */
  readonly rules: readonly RuleRow[] | null;
}

export interface RuleRow {
  readonly nth: number;
  readonly rule: string;
  readonly selector: Selector;
  readonly seq: number;
  readonly ordered_ms: number;
  readonly effect: Effect;
  readonly before_at: number | null;
  readonly until_at: number | null;
  readonly resume: boolean;
  readonly reauthenticate: boolean;
  readonly turned_ms: number | null;
  /** Entry of the enabling that ended the block. */
  readonly turned_ix: number | null;
}

/** Uses of one period of a rule: until its end or lift, after its end, or after its lift. */
export interface PartRow {
  readonly nth: number;
  readonly state: 'ordered' | 'lifted';
  readonly is_ended: boolean;
  readonly walked: number;
  readonly groups: readonly UseGroup[] | null;
}

/** Uses of one token by the same user, client, agent and resource. */
export interface UseGroup {
  /** Key of the token, hexadecimal. */
  readonly token: string;
  readonly usr: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly res: number | null;
  readonly uses: number;
  readonly at: number;
  readonly last_at: number;
  /** Index of the first of these uses. */
  readonly access: number;
  readonly first_ix: number;
  readonly last_ix: number;
}
