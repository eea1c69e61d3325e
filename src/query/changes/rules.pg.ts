import { loadSql } from '../../platform/index.js';
import type { Line } from './lines.js';
import type { Between } from './read.pg.js';

const RULES = { name: 'changes-rules', text: loadSql(import.meta.url, 'rules.sql') };
const FIRST_USES = loadSql(import.meta.url, 'first-uses.sql');
/** Not kept by a session: a plan for all values would walk uses by time alone. */
const drivenBy = (ids: string, condition: string): string => FIRST_USES.replace('{ids}', ids).replace('{driven}', condition);
/** In order of preference: the more a member usually leaves, the later it comes. */
const STATEMENTS = {
  token: drivenBy('ARRAY[r.token]', 'a.tok = d.id'), // access_tok
  users: drivenBy('r.users::int[]', 'a.usr = d.id'), // access_usr
  agents: drivenBy('r.agents::int[]', 'a.agent = d.id'), // access_agent
  clients: drivenBy('r.clients::int[]', 'a.client = d.id'), // access_client
  resources: drivenBy('r.resources::int[]', 'a.res = d.id'), // access_res
} as const;
const DRIVERS = ['token', 'users', 'agents', 'clients', 'resources'] as const;
const NAMED = ['users', 'clients', 'agents', 'resources'] as const;

/** Rules that one answer looks at, the newest. */
export const MAX_RULES_COMPARED = 100;
/** Uses that are walked for one of them. */
export const MAX_USES_A_RULE = 250;
const NEVER = '9223372036854775807';
/** Intake lets no event lie further ahead of its arrival, seconds. */
const MAX_AHEAD_S = 600;

/** The first allowed use after each rule's order, and after its lift, where it became known between the two moments. */
export async function readRuleLines({ since, until, clients, resources }: Between): Promise<{ readonly lines: readonly Line[]; readonly cut: boolean }> {
  const rules = await until.rows<RuleRow>(RULES, [String(until.index), MAX_RULES_COMPARED + 1]);
  const spans = rules.slice(0, MAX_RULES_COMPARED).flatMap((rule) => spansOf(rule, until.present ? NEVER : String(until.at + MAX_AHEAD_S + 1)));
  const lines: Line[] = [];
  let cut = rules.length > MAX_RULES_COMPARED;
  for (const driver of DRIVERS) {
    const driven = spans.filter(({ rule }) => DRIVERS.find((one) => rule[one] !== null) === driver);
    if (driven.length === 0) continue;
    const column = (of: (typeof NAMED)[number]) => driven.map(({ rule }) => (rule[of] === null ? null : `{${rule[of].join(',')}}`));
    const rows = await until.rows<UseRow>(STATEMENTS[driver], [
      String(until.index),
      driven.map((_, nth) => nth),
      driven.map(({ after }) => after),
      driven.map(({ before }) => before),
      ...NAMED.map(column),
      MAX_USES_A_RULE,
      driven.map(({ rule }) => rule.token),
      driven.map(({ rule }) => rule.issuer),
    ]);
    for (const row of rows) {
      const known = row.fits && BigInt(row.bound_ix) < since.index;
      // What was not walked cannot take away that there was a use before.
      if (row.walked >= MAX_USES_A_RULE && !known) cut = true;
      if (!row.fits || known) continue;
      if (clients && !clients.includes(row.client)) continue;
      if (resources && !resources.includes(row.res!)) continue;
      const { rule, state } = driven[row.nth]!;
      const ix = Number(row.bound_ix);
      const what = { of: 'use', user: row.usr, agent: row.agent, at: Number(row.at), access: Number(row.ix), rule: rule.rule, state, selector: rule.selector } as const;
      lines.push({ kind: 'used-after-rule', client: row.client, res: row.res, first: ix, last: ix, what });
    }
  }
  return { lines, cut };
}

interface Span {
  readonly rule: RuleRow;
  readonly state: 'ordered' | 'lifted';
  readonly after: string;
  readonly before: string;
}

const secondsOf = (ms: string): string => String(BigInt(ms) / 1_000n);

function spansOf(rule: RuleRow, end: string): Span[] {
  const ordered = secondsOf(rule.ordered_ms);
  if (rule.lifted_ms === null) return [{ rule, state: 'ordered', after: ordered, before: end }];
  const lifted = secondsOf(rule.lifted_ms);
  return [
    { rule, state: 'ordered', after: ordered, before: lifted },
    { rule, state: 'lifted', after: lifted, before: end },
  ];
}

interface RuleRow {
  readonly [column: string]: unknown;
  readonly rule: string;
  readonly ordered_ms: string;
  readonly lifted_ms: string | null;
  readonly selector: Readonly<Record<string, unknown>>;
  readonly token: Buffer | null;
  readonly issuer: string | null;
  readonly users: readonly number[] | null;
  readonly clients: readonly number[] | null;
  readonly agents: readonly number[] | null;
  readonly resources: readonly number[] | null;
}

interface UseRow {
  readonly [column: string]: unknown;
  readonly nth: number;
  readonly walked: number;
  readonly fits: boolean;
  readonly ix: string;
  readonly bound_ix: string;
  readonly at: string;
  readonly usr: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly res: number | null;
}
