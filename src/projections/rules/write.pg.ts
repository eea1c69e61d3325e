import type { PoolClient } from 'pg';
import { int2Array, int8Array, jsonbArray, loadSql, textArray, uuidArray } from '../../platform/postgres/index.js';
import {
  expandSelector,
  isEnabling,
  isRuleEvent,
  ruleKeyToBytes,
  ruleTimeOf,
  selectionOfEvent,
  selectorKeys,
  splitSelectorKey,
  subjectOfEvent,
  type RuleEvent,
  type Selection,
} from '../../rules/index.js';
import type { OwnProjectedEvent, ProjectedEvent } from '../event.js';

const WRITE_RULES = loadSql(import.meta.url, 'write-rules.sql');
const WRITE_LIFTS = loadSql(import.meta.url, 'write-lifts.sql');
const WRITE_RULE_EVENTS = loadSql(import.meta.url, 'write-rule-events.sql');

type Querying = Pick<PoolClient, 'query'>;

/** Writes rules and lifts from Rescind's own entries, and the events of sources that order rules or end blocks. */
export async function writeRules(
  client: Querying,
  events: readonly RuleSource[],
  own: readonly OwnProjectedEvent[],
): Promise<void> {
  await writeOrders(
    client,
    own.filter((event) => event.name === 'revocation.ordered'),
  );
  // Lifts follow the orders, because one batch may contain an order and its lift.
  await writeLifts(
    client,
    own.filter((event) => event.name === 'revocation.lifted'),
  );
  await writeRuleEvents(client, events);
}

/** The members of a source's event that the writer needs. */
export type RuleSource = Pick<
  ProjectedEvent,
  'name' | 'data' | 'tenant' | 'tenantKey' | 'ix' | 'source' | 'id' | 'atMs' | 'arrivalMs'
>;

async function writeOrders(
  client: Querying,
  orders: readonly OwnProjectedEvent<'revocation.ordered'>[],
): Promise<void> {
  if (orders.length === 0) return;
  const rows = orders.flatMap((order) => {
    const selection = order.data as Selection;
    const selectors = expandSelector(selection.selector, selection.or);
    return keysOf(order.tenantKey, selection).map((keys, nth) => ({
      order,
      keys,
      nth,
      said: { ...order.data, selector: selectors[nth] },
    }));
  });
  await client.query(WRITE_RULES, [
    uuidArray(rows.map(({ order }) => order.tenant)),
    int8Array(rows.map(({ order }) => order.ix)),
    int8Array(rows.map(({ order }) => order.arrivalMs)),
    int8Array(rows.map(({ order }) => order.atMs)),
    jsonbArray(rows.map(({ said }) => JSON.stringify(said))),
    textArray(rows.map(({ keys }) => keys)),
    int2Array(rows.map(({ nth }) => nth)),
  ]);
}

async function writeLifts(client: Querying, lifts: readonly OwnProjectedEvent<'revocation.lifted'>[]): Promise<void> {
  if (lifts.length === 0) return;
  await client.query(WRITE_LIFTS, [
    uuidArray(lifts.map(({ tenant }) => tenant)),
    int8Array(lifts.map(({ ix }) => ix)),
    jsonbArray(lifts.map(({ data }) => JSON.stringify(data))),
  ]);
}

async function writeRuleEvents(client: Querying, events: readonly RuleSource[]): Promise<void> {
  const rows = events.flatMap((event) => {
    if (!isRuleEvent(event.name)) return [];
    const said = event as RuleEvent;
    return keysOf(event.tenantKey, selectionOfEvent(said)).map((keys) => ({ event, said, keys }));
  });
  if (rows.length === 0) return;
  await client.query(WRITE_RULE_EVENTS, [
    uuidArray(rows.map(({ event }) => event.tenant)),
    int8Array(rows.map(({ event }) => event.ix)),
    textArray(rows.map(({ keys }) => keys)),
    uuidArray(rows.map(({ event }) => event.source)),
    textArray(rows.map(({ event }) => event.id)),
    int8Array(rows.map(({ event, said }) => ruleTimeOf(said.name, event.atMs, event.arrivalMs))),
    textArray(rows.map(({ said }) => subjectOfEvent(said))),
    int2Array(rows.map(({ said }) => (isEnabling(said.name) ? 1 : 0))),
  ]);
}

/** Returns, for each selector in the order of `expandSelector`, its rule keys in the order of dimensions, as the text of a `bytea[]`. */
function keysOf(tenantKey: Uint8Array, { selector, or }: Selection): string[] {
  const { shape, keys } = selectorKeys(tenantKey, selector, or);
  return keys.map(
    (key) =>
      `{${splitSelectorKey({ shape, key })
        .map(([, one]) => `"\\\\x${ruleKeyToBytes(one).toString('hex')}"`)
        .join(',')}}`,
  );
}
