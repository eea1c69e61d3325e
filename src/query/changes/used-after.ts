import { loadSql } from '../../platform/postgres/index.js';
import { TURNED_MS, turnedBelow, type Snapshot, type UsesRead } from '../../projections/index.js';
import { KEPT_S, type Effect, type Selector } from '../../rules/index.js';
import { candidatesOfRow, MOST_OF_ROW, type Beginning } from '../../selection/index.js';

/** Rules that one answer looks at, the newest; as many again on sessions and ID-JAGs. */
export const MAX_RULES_COMPARED = 100;
/** Uses that are walked for one rule, the newest. */
export const MAX_USES_A_RULE = 1_000;

/** Tokens that one rule's names lead to and that are looked at for those that came from them, the newest of each name. */
const MAX_TOKENS_A_RULE = 10_000;

const COLUMNS =
  'a.ix, a.bound_ix, a.at, a.until_at, a.usr, a.client, a.agent, a.agent_ix, a.res, a.outcome, a.tok, a.n';

/**
 * SQL of the walks over uses by their own columns. `bound_ix` is compared by a difference, for which the planner
 * estimates the same for all values. Otherwise PostgreSQL would plan anew each time, which takes as long as the run.
 */
const WALKS = [
  walkOf('unnest(s.users) AS d (id)', 'a.usr = d.id AND '),
  // The clients of a resource use others, too.
  walkOf('unnest(CASE WHEN s.resource IS NULL THEN s.clients END) AS d (id)', 'a.client = d.id AND '),
  walkOf('unnest(s.agents) AS d (id)', 'a.agent = d.id AND '),
  walkOf('(SELECT s.resource AS id WHERE s.resource IS NOT NULL) AS d', 'a.res = d.id AND '),
  walkOf('(SELECT 1 WHERE s.everyone) AS d', ''),
];

function walkOf(driving: string, condition: string): string {
  return `SELECT a.* FROM ${driving}
      CROSS JOIN LATERAL (
        SELECT ${COLUMNS} FROM access a
        WHERE a.tenant = $1 AND ${condition}a.at > s.after AND a.at < s.before AND a.bound_ix - $2 < 0
        ORDER BY a.at DESC, a.ix DESC
        LIMIT {budget}
      ) a`;
}

const WALK_USES = loadSql(import.meta.url, 'walk-uses.sql')
  .replace('{walks}', () => WALKS.join('\n      UNION ALL\n      '))
  .replaceAll('{columns}', COLUMNS)
  .replaceAll('{agent}', 'CASE WHEN w.agent_ix IS NULL OR w.agent_ix < $2 THEN w.agent END')
  // A use is new when both the use and the rule are known.
  .replaceAll('{known}', 'greatest(w.bound_ix, s.known_ix)')
  .replace('{most}', MOST_OF_ROW)
  .replaceAll('{budget}', String(MAX_USES_A_RULE));
const USED_AFTER = loadSql(import.meta.url, 'used-after.sql');

const RULE =
  'tenant, rule, nth AS of_rule, from_ix, seq, ordered_ms, effect, selector, keys, before_at, until_at, resume, reauthenticate, cause';

/** Builds SQL for the rules of a kind that were ordered or lifted last. */
const newestOf = (kind: string): string => `(SELECT * FROM (
      (SELECT ${RULE}, NULL::bigint AS lifted, NULL::bigint AS lifted_ix, from_ix AS newest_ix FROM rule_version
       WHERE tenant = $1 AND from_ix < $3::bigint AND (lifted_ix IS NULL OR lifted_ix >= $3) AND ${kind}
       ORDER BY from_ix DESC LIMIT {rules} + 1)
      UNION ALL
      (SELECT ${RULE}, (lift ->> 'at')::bigint, lifted_ix, lifted_ix FROM rule_version
       WHERE tenant = $1 AND lifted_ix < $3 AND ${kind}
       ORDER BY lifted_ix DESC LIMIT {rules} + 1)
    ) v ORDER BY newest_ix DESC LIMIT {rules} + 1)`;
const BRIEF = "selector ?| '{session,id_jag}'";

export const RULES_AFTER = loadSql(import.meta.url, 'rules-after.sql')
  .replace('{brief}', BRIEF)
  .replace('{newest}', () => `${newestOf(`NOT ${BRIEF}`)}\n    UNION ALL\n    ${newestOf(BRIEF)}`)
  .replaceAll('{turned_ms}', TURNED_MS)
  .replace('{turned}', () => turnedBelow('$3'))
  .replaceAll('{kept}', String(KEPT_S))
  .replaceAll('{rules}', String(MAX_RULES_COMPARED));

/** Finds the uses in the periods of rules, by the search of `selection` from where each rule's tokens begin. */
export async function findUsedAfter(
  until: Snapshot,
  since: bigint,
  parts: readonly (Period & { readonly beginning: Beginning })[],
): Promise<readonly PartRow[]> {
  const { text, values } = candidatesOfRow(until, MAX_TOKENS_A_RULE);
  const rows = parts.map(({ beginning: { seeds, resource, everyone }, ...period }) => ({
    ...period,
    users: seeds.users,
    clients: seeds.clients,
    agents: seeds.agents,
    resource: resource ?? null,
    tokens: seeds.tokens.map(hexOf),
    id_jags: seeds.idJags.map(hexOf),
    everyone,
  }));
  return until.rows<PartRow>(
    {
      name: 'used-after',
      text: USED_AFTER.replace('{candidates}', () => text.replace('{then}', () => `SELECT * FROM (${WALK_USES}) w`)),
      async uses(asked, read) {
        const found = await read<FoundTokens>(
          TOKENS_FOUND.replace('{candidates}', () => text.replace('{then}', () => LIST_TOKENS)),
          asked,
        );
        const tokens = new Map(
          found.map(({ nth, state, is_ended, tokens: keys }) => [partKey({ nth, state, is_ended }), keys]),
        );
        return rows.flatMap((row) => readsOf(until.index, row, tokens.get(partKey(row)) ?? []));
      },
    },
    [...values, JSON.stringify(rows), String(since)],
  );
}

const partKey = ({ nth, state, is_ended: isEnded }: Pick<PartRow, 'nth' | 'state' | 'is_ended'>): string =>
  `${nth} ${state} ${isEnded}`;

/** Lists the tokens that the search finds for each period, as used-after.sql does. */
const TOKENS_FOUND = USED_AFTER.replace('WHERE u.cut OR u.groups IS NOT NULL', 'WHERE $8::text IS NOT NULL');
const LIST_TOKENS = "SELECT coalesce(array_agg(k.key), '{}') AS tokens FROM newest k";

interface FoundTokens extends Pick<Period, 'nth' | 'state' | 'is_ended'> {
  readonly [column: string]: unknown;
  readonly tokens: readonly Buffer[];
}

interface Walked extends Pick<Period, 'after' | 'before'> {
  readonly users: readonly number[];
  readonly clients: readonly number[];
  readonly agents: readonly number[];
  readonly resource: number | null;
  readonly everyone: boolean;
}

/** The uses that one period walks: the newest of each name, and those of the tokens that were found. */
function readsOf(
  index: bigint,
  { after, before, users, clients, agents, resource, everyone }: Walked,
  tokens: readonly Buffer[],
): readonly UsesRead[] {
  const used: UsesRead = { index, attributed: true, from: after + 1, to: before };
  const newest = (of?: 'usr' | 'client' | 'res') => ({
    most: { rows: MAX_USES_A_RULE, order: 'newest' as const, ...(of ? { of } : {}) },
  });
  return [
    { ...used, usr: users, ...newest('usr') },
    ...(resource === null
      ? [{ ...used, client: clients, ...newest('client') }]
      : [{ ...used, res: [resource], ...newest('res') }]),
    // The walk takes an agent that became known later, too.
    { from: after + 1, to: before, agent: agents },
    ...(everyone ? [{ ...used, ...newest() }] : []),
    { ...used, tok: tokens },
  ];
}

const hexOf = (key: Buffer): string => `\\x${key.toString('hex')}`;

/** The result of `rules-after.sql`. */
export interface RulesAfter {
  /** There are more rules than were looked at. */
  readonly cut: boolean;
  readonly parts: readonly Period[] | null;
  /** A rule of several selectors has a row for each. */
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

/** One period of a rule: until its end or lift, after its end, or after its lift. */
export interface Period {
  readonly nth: number;
  readonly state: 'ordered' | 'lifted';
  readonly is_ended: boolean;
  readonly known_ix: number;
  readonly after: number;
  /** May be the largest bigint. */
  readonly before: string;
}

/** Uses of one period of a rule. */
export interface PartRow extends Pick<Period, 'nth' | 'state' | 'is_ended'> {
  readonly [column: string]: unknown;
  /** There may be more uses, or tokens that came from others. */
  readonly cut: boolean;
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
