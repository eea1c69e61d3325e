import { timeText } from '../../contracts/index.js';
import { originView, type OriginView } from '../recorded/rule-view.js';
import type { Pool, PoolClient } from 'pg';
import type { Author, Caller, RuleRecord, Source, Tenant } from '../../control/index.js';
import { loadSql, onConnection, queryTogether } from '../../platform/postgres/index.js';
import { ENTITY_DIMENSIONS, ENTITY_KINDS } from '../../projections/index.js';
import {
  commonSelector,
  expandSelector,
  ruleKey,
  ruleKeyToBytes,
  selectorKeys,
  splitSelectorKey,
  type Dimension,
  type OtherValues,
  type Rule,
  type RuleKey,
  type Selection,
  type Selector,
} from '../../rules/index.js';
import { actingOf, findWider, membersOf, type Acting, type Stops } from '../recorded/other-rules.js';
import { mayRead, readsAll } from '../reach.js';

/** The number of the first parameter that `seen.sql` leaves to the entities. */
const FIRST_ENTITY = 8;
const isEntitySeen = (dimension: (typeof ENTITY_DIMENSIONS)[number], nth: number): string =>
  `EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.kind = ${ENTITY_KINDS[dimension]} AND e.key = $${FIRST_ENTITY + nth}::bytea) AS "${dimension}"`;
const SEEN = {
  name: 'rule-seen',
  text: loadSql(import.meta.url, 'seen.sql').replace('{entities}', () =>
    ENTITY_DIMENSIONS.map(isEntitySeen).join(',\n  '),
  ),
};
const OTHER_RULES = loadSql(import.meta.url, 'other-rules.sql');
const READ_RULES = { name: 'read-rules', text: loadSql(import.meta.url, 'read-rules.sql') };

/** Rules that one answer shows. */
const MAX_SHOWN = 10;
/** Rules that are judged. `MAX_LOOKED_AT`: the newest rules among which those on an issuer's users, clients and agents are searched. */
const MAX_JUDGED = 200;
const MAX_LOOKED_AT = 10_000;
const TIMEOUT_MS = 1_000;

/** Another rule in force that stops all or a part of a rule's selection. */
export interface OtherRule {
  readonly effect: Acting['effect'];
  readonly before?: string;
  readonly until?: string;
  readonly id: string;
  readonly stops: Stops;
  readonly selector: Selector;
  readonly or?: OtherValues;
  readonly reason: string;
  readonly author: Author;
  readonly origin?: OriginView;
  readonly after_lift_of?: string;
}

export interface OtherRules {
  /** Rules that stop everything first, blocks before revokes, newest first. */
  readonly rules: readonly OtherRule[];
  /** Number of further rules that are not shown. */
  readonly more: number;
  /** Set if there may be more rules than `more` says: the search reached its bounds, or the caller may not read every rule. */
  readonly at_least?: true;
}

export interface Surroundings {
  /** Members of the selector that name something no event has mentioned and no source is registered for. */
  readonly unknown: readonly (keyof Selector)[];
  readonly other_rules: OtherRules;
}

/** Reads the surroundings of a rule: whether events have mentioned its names, and which other rules stop them. */
export interface SurroundingsReader {
  /** `apart`: rules that do not count as other rules. `now` is in epoch seconds. */
  read(asked: {
    readonly tenant: Tenant;
    readonly caller: Caller;
    readonly selection: Selection;
    readonly apart: readonly string[];
    readonly sources: Iterable<Source>;
    readonly now: number;
  }): Promise<Surroundings>;
  /** Finds the unknown names alone. */
  readUnknown(tenant: Tenant, selector: Selector, sources: Iterable<Source>): Promise<Surroundings['unknown']>;
}

export function createSurroundingsReader({ pool }: { readonly pool: Pool }): SurroundingsReader {
  return {
    read: ({ tenant, caller, selection, apart, sources, now }) =>
      onConnection(pool, async (client) => {
        const statements = [
          ...BEGIN,
          seenStatement(tenant, selection.selector),
          othersStatement(tenant, selection),
          COMMIT,
        ];
        const [seen, others] = (await queryTogether(client, statements))
          .slice(BEGIN.length)
          .map(({ rows }) => rows[0] as unknown) as [Seen, Found];
        const judged = judge(tenant, selection, others.found, now).filter(({ rule }) => !apart.includes(rule.id));
        const other_rules = await describe(client, tenant, caller, judged, others.cut_off);
        return { unknown: unknownOf(tenant, selection.selector, seen, sources), other_rules };
      }),
    readUnknown: (tenant, selector, sources) =>
      onConnection(pool, async (client) => {
        const [seen] = (await queryTogether(client, [...BEGIN, seenStatement(tenant, selector), COMMIT]))
          .slice(BEGIN.length)
          .map(({ rows }) => rows[0] as unknown) as [Seen];
        return unknownOf(tenant, selector, seen, sources);
      }),
  };
}

const BEGIN = [
  { name: 'surroundings-begin', text: 'BEGIN READ ONLY' },
  {
    name: 'surroundings-settings',
    text: `SELECT set_config('statement_timeout', '${TIMEOUT_MS}', true), set_config('jit', 'off', true)`,
  },
];
const COMMIT = { name: 'surroundings-commit', text: 'COMMIT' };

type Seen = Readonly<Partial<Record<keyof Selector, boolean>>>;
type Found = { readonly cut_off: boolean; readonly found: readonly (readonly [rule: string, byOtherName: boolean])[] };

function seenStatement(tenant: Tenant, selector: Selector) {
  const keys = new Map<string, Buffer>(
    membersOf(tenant.key, selector).map(([dimension, key]) => [dimension, ruleKeyToBytes(key as RuleKey)]),
  );
  const keyOf = (dimension: Dimension): Buffer | null => keys.get(dimension) ?? null;
  const { issuer = null, session } = selector;
  return {
    ...SEEN,
    values: [
      tenant.id,
      keyOf('session'),
      session?.iss ?? null,
      session?.sid ?? null,
      keyOf('id_jag'),
      keyOf('token'),
      issuer,
      ...ENTITY_DIMENSIONS.map(keyOf),
    ],
  };
}

function othersStatement(tenant: Tenant, { selector, or }: Selection) {
  const { issuer, ...others } = selector;
  const common = splitSelectorKey(commonSelector(selectorKeys(tenant.key, selector, or)));
  const keys = common.filter(([dimension]) => dimension !== 'issuer').map(([, key]) => ruleKeyToBytes(key));
  const [alone] =
    or === undefined && Object.keys(selector).length === 1 && (others.user ?? others.client) ? common : [];
  const issuerKey = issuer === undefined ? null : ruleKeyToBytes(ruleKey(tenant.key, 'issuer', [issuer]));
  return {
    text: OTHER_RULES,
    values: [
      tenant.id,
      keys,
      issuer ?? null,
      issuerKey,
      alone ? ruleKeyToBytes(alone[1]) : null,
      MAX_LOOKED_AT,
      MAX_JUDGED,
    ],
  };
}

function unknownOf(tenant: Tenant, selector: Selector, seen: Seen, sources: Iterable<Source>): Surroundings['unknown'] {
  const own = [...sources].filter((source) => source.tenant === tenant.id);
  const isRegistered = (member: string): boolean =>
    (member === 'issuer' && own.some(({ issuers }) => issuers.includes(selector.issuer!))) ||
    (member === 'resource' && own.some(({ resources }) => resources.includes(selector.resource!)));
  return (Object.keys(selector) as (keyof Selector)[]).filter(
    (member) => member !== 'all' && seen[member] !== true && !isRegistered(member),
  );
}

interface Judged extends Acting {
  readonly rule: Rule;
  readonly stops: Stops;
}

/** Finds, among the rules that this process holds, those that stop the selection or a part of it. */
function judge(tenant: Tenant, { selector, or }: Selection, found: Found['found'], now: number): readonly Judged[] {
  const selectors = expandSelector(selector, or);
  const wider = selectors.map((one) => findWider(tenant.key, tenant.rules, one));
  const judged = new Map<string, Judged>();
  const add = (rule: Rule, stops: Stops): void => {
    const acting = actingOf(rule, now);
    if (acting !== undefined && judged.get(rule.id)?.stops !== 'all') judged.set(rule.id, { rule, stops, ...acting });
  };
  for (const rules of wider)
    for (const [id, rule] of rules) add(rule, wider.every((one) => one.has(id)) ? 'all' : 'part');
  const wanted = selectors.map((one) => membersOf(tenant.key, one).filter(([dimension]) => dimension !== 'issuer'));
  for (const [id, byOtherName] of found) {
    if (judged.has(id)) continue;
    for (const row of tenant.rules.rowsOf(id)) {
      const keys = new Set(splitSelectorKey(row.selector).map(([, key]) => key as string));
      if (byOtherName || wanted.some((members) => members.every(([, key]) => keys.has(key)))) add(row, 'part');
    }
  }
  const rank = ({ stops, effect }: Judged): number => (stops === 'all' ? 0 : 2) + (effect === 'block' ? 0 : 1);
  return [...judged.values()].sort((a, b) => rank(a) - rank(b) || Number(b.rule.seq - a.rule.seq));
}

async function describe(
  client: PoolClient,
  tenant: Tenant,
  caller: Caller,
  judged: readonly Judged[],
  cutOff: boolean,
): Promise<OtherRules> {
  const isBound = !readsAll(caller);
  const looked = judged.slice(0, MAX_JUDGED);
  // Every rule is read only if the caller may not read all of them.
  const wanted = isBound ? looked : looked.slice(0, MAX_SHOWN);
  const { rows } =
    wanted.length === 0
      ? { rows: [] }
      : await client.query<{ body: RuleRecord }>({
          ...READ_RULES,
          values: [tenant.id, wanted.map(({ rule }) => rule.id)],
        });
  const bodies = new Map(rows.map(({ body }) => [body.id, body]));
  const readable = isBound
    ? wanted.filter(({ rule }) => bodies.has(rule.id) && mayRead(caller, bodies.get(rule.id)!))
    : wanted;
  const shown = readable.slice(0, MAX_SHOWN).flatMap((one) => {
    const body = bodies.get(one.rule.id);
    return body ? [otherRule(one, body)] : [];
  });
  return {
    rules: shown,
    more: (isBound ? readable.length : judged.length) - shown.length,
    ...(isBound || cutOff ? { at_least: true } : {}),
  };
}

function otherRule(
  { stops, effect, before, until }: Judged,
  { id, selector, or, reason, author, origin, after_lift_of: afterLiftOf }: RuleRecord,
): OtherRule {
  return {
    id,
    effect,
    stops,
    ...(before === undefined ? {} : { before: timeText(before) }),
    ...(until === undefined ? {} : { until: timeText(until) }),
    selector,
    ...(or ? { or } : {}),
    reason,
    author,
    ...(origin ? { origin: originView(origin) } : {}),
    ...(afterLiftOf === undefined ? {} : { after_lift_of: afterLiftOf }),
  };
}
