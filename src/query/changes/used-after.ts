import { loadSql } from '../../platform/postgres/index.js';
import { TURNED_MS, turnedBelow } from '../../projections/index.js';
import { KEPT_S, type Effect, type Selector } from '../../rules/index.js';

/** Rules that one answer looks at, the newest. */
export const MAX_RULES_COMPARED = 100;
/** Uses that are walked for one rule, the newest. */
export const MAX_USES_A_RULE = 1_000;

/**
 * Members of a selector that can drive the walk, in order of preference: a member that usually leaves more uses comes
 * later.
 */
const DRIVERS = [
  { ids: 'token', column: 'tok' }, // access_tok
  { ids: 'users', column: 'usr' }, // access_usr
  { ids: 'agents', column: 'agent' }, // access_agent
  { ids: 'clients', column: 'client' }, // access_client
  { ids: 'resources', column: 'res' }, // access_res
] as const;

const COLUMNS =
  'a.ix, a.bound_ix, a.at, a.until_at, a.usr, a.client, a.agent, a.agent_ix, a.res, a.outcome, a.tok, a.n';

/**
 * SQL of the walks; for each rule one of them has ids. `bound_ix` is compared by a difference, for which the planner
 * estimates the same for all values. Otherwise PostgreSQL would plan anew each time, which takes as long as the run.
 */
const WALKS = DRIVERS.map(({ ids, column }, nth) => {
  const before = DRIVERS.slice(0, nth).map((other) => ` AND s.${other.ids} IS NULL`);
  const driving = ids === 'token' ? 'ARRAY[s.token]' : `s.${ids}`;
  return `SELECT a.* FROM unnest(CASE WHEN s.${ids} IS NOT NULL${before.join('')} THEN ${driving} END) AS d (id)
      CROSS JOIN LATERAL (
        SELECT ${COLUMNS} FROM access a
        WHERE a.tenant = $1 AND a.${column} = d.id AND a.at > s.after AND a.at < s.before AND a.bound_ix - $3 < 0
        ORDER BY a.at DESC, a.ix DESC
        LIMIT {budget}
      ) a`;
});

/** A use is new when both the use and the rule are known. */
const KNOWN = 'greatest(w.bound_ix, s.known_ix)';
const AGENT = 'CASE WHEN w.agent_ix IS NULL OR w.agent_ix < $3 THEN w.agent END';
const GROUPED = `SELECT encode(w.tok, 'hex') AS token, w.usr, w.client, ${AGENT} AS agent, w.res, sum(w.n)::bigint AS uses, min(w.at) AS at, max(w.until_at) AS last_at,
        (array_agg(w.ix ORDER BY w.at, w.ix))[1] AS access, min(${KNOWN}) AS first_ix, max(${KNOWN}) AS last_ix
      FROM walked w
      WHERE w.outcome = 1 AND ${KNOWN} >= $2::bigint`;
const BY_TOKEN = `GROUP BY w.tok, w.usr, w.client, ${AGENT}, w.res`;

/** Condition for rules whose uses can be found by the names in them. */
const ABOUT = `selector - '{user,client,agent,resource,token,issuer}'::text[] = '{}' AND selector ?| '{user,client,agent,resource,token}'`;

export const USED_AFTER = loadSql(import.meta.url, 'used-after.sql')
  .replaceAll('{about}', ABOUT)
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
