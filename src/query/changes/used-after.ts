import { loadSql } from '../../platform/index.js';
import type { Line } from './lines.js';

/** Rules that one answer looks at, the newest. */
export const MAX_RULES_COMPARED = 100;
/** Uses that are walked for one of them. */
export const MAX_USES_A_RULE = 100;

/** In order of preference: the more a member usually leaves, the later it comes. */
const DRIVERS = [
  { ids: 'token', column: 'tok' }, // access_tok
  { ids: 'users', column: 'usr' }, // access_usr
  { ids: 'agents', column: 'agent' }, // access_agent
  { ids: 'clients', column: 'client' }, // access_client
  { ids: 'resources', column: 'res' }, // access_res
] as const;

/**
 * Of one rule one of them walks. What is known by then is told by a difference, of which the planner expects the same for all values: else it
 * would plan anew each time, for as long as it runs.
 */
const WALKS = DRIVERS.map(({ ids, column }, nth) => {
  const before = DRIVERS.slice(0, nth).map((other) => ` AND s.${other.ids} IS NULL`);
  const driving = ids === 'token' ? 'ARRAY[s.token]' : `s.${ids}`;
  return `SELECT a.* FROM unnest(CASE WHEN s.${ids} IS NOT NULL${before.join('')} THEN ${driving} END) AS d (id)
      CROSS JOIN LATERAL (
        SELECT a.ix, a.bound_ix, a.at, a.usr, a.client, a.agent, a.agent_ix, a.res, a.outcome, a.tok FROM access a
        WHERE a.tenant = $1 AND a.${column} = d.id AND a.at > s.after AND a.at < s.before AND a.bound_ix - $3 < 0
        ORDER BY a.at, a.ix
        LIMIT {budget}
      ) a`;
});

/** Rules whose uses are found by the names in them. */
const ABOUT = `selector - '{user,client,agent,resource,token,issuer}'::text[] = '{}' AND selector ?| '{user,client,agent,resource,token}'`;

export const USED_AFTER = loadSql(import.meta.url, 'used-after.sql')
  .replaceAll('{about}', ABOUT)
  .replace('{walks}', WALKS.join('\n      UNION ALL\n      '))
  .replaceAll('{rules}', String(MAX_RULES_COMPARED))
  .replaceAll('{budget}', String(MAX_USES_A_RULE));

/** As `used-after.sql` tells it. */
export interface UsedAfter {
  /** There are more rules than were looked at. */
  readonly cut: boolean;
  readonly uses: readonly UseRow[] | null;
}

interface UseRow {
  readonly rule: string;
  readonly state: 'ordered' | 'lifted';
  readonly selector: Readonly<Record<string, unknown>>;
  readonly fits: boolean;
  readonly walked: number;
  readonly ix: number;
  readonly bound_ix: number;
  readonly at: number;
  readonly usr: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly res: number | null;
}

interface Wanted {
  readonly since: { readonly index: bigint };
  readonly clients: readonly number[] | undefined;
  readonly resources: readonly number[] | undefined;
}

/** The first allowed use after each rule's order, and after its lift, where it became known since. */
export function linesOfUses({ cut: more, uses }: UsedAfter, { since, clients, resources }: Wanted): { readonly lines: readonly Line[]; readonly cut: boolean } {
  const lines: Line[] = [];
  let cut = more;
  for (const { rule, state, selector, fits, walked, ix, bound_ix, at, usr, client, agent, res } of uses ?? []) {
    const known = fits && BigInt(bound_ix) < since.index;
    // What was not walked cannot take away that there was a use before.
    if (walked >= MAX_USES_A_RULE && !known) cut = true;
    if (!fits || known) continue;
    if (clients && !clients.includes(client)) continue;
    if (resources && !resources.includes(res!)) continue;
    const what = { of: 'use', user: usr, agent, at, access: ix, rule, state, selector } as const;
    lines.push({ kind: 'used-after-rule', client, res, first: bound_ix, last: bound_ix, what });
  }
  return { lines, cut };
}
