import type { PoolClient } from 'pg';
import { int2Array, int8Array, jsonbArray, loadSql, textArray, uuidArray } from '../../platform/index.js';
import { isEnabling, isRuleEvent, ruleKey, ruleKeyToBytes, ruleTimeOf, selectorParts, selectorsOfEvent, subjectOfEvent, type RuleEvent, type Selector } from '../../rules/index.js';
import type { OwnProjectedEvent, ProjectedEvent } from '../event.js';

const WRITE_RULES = loadSql(import.meta.url, 'write-rules.sql');
const WRITE_LIFTS = loadSql(import.meta.url, 'write-lifts.sql');
const WRITE_RULE_EVENTS = loadSql(import.meta.url, 'write-rule-events.sql');

type Querying = Pick<PoolClient, 'query'>;

/** Rules as Rescind's own entries tell them, and the sources' events that may end them. */
export async function writeRules(client: Querying, events: readonly RuleSource[], own: readonly OwnProjectedEvent[]): Promise<void> {
  await writeOrders(client, own.filter((event) => event.name === 'revocation.ordered'));
  // After them: one batch may hold an order and its lift.
  await writeLifts(client, own.filter((event) => event.name === 'revocation.lifted'));
  await writeRuleEvents(client, events);
}

/** What of a source's event is kept. */
export type RuleSource = Pick<ProjectedEvent, 'name' | 'data' | 'tenant' | 'tenantKey' | 'ix' | 'source' | 'id' | 'atMs' | 'arrivalMs'>;

async function writeOrders(client: Querying, orders: readonly OwnProjectedEvent<'revocation.ordered'>[]): Promise<void> {
  if (orders.length === 0) return;
  await client.query(WRITE_RULES, [
    uuidArray(orders.map(({ tenant }) => tenant)),
    int8Array(orders.map(({ ix }) => ix)),
    int8Array(orders.map(({ arrivalMs }) => arrivalMs)),
    int8Array(orders.map(({ atMs }) => atMs)),
    jsonbArray(orders.map(({ data }) => JSON.stringify(data))),
    textArray(orders.map(({ tenantKey, data }) => keysOf(tenantKey, data.selector as Selector))),
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
    // What is revoked or ended for ever is enabled by nothing.
    if (!isRuleEvent(event.name) || event.name === 'session.ended' || event.name === 'token.revoked') return [];
    const said = event as RuleEvent;
    return selectorsOfEvent(said).map((selector) => ({ event, said, keys: keysOf(event.tenantKey, selector) }));
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

/** The selector's rule keys in the order of dimensions, as the text of a `bytea[]`. */
function keysOf(tenantKey: Uint8Array, selector: Selector): string {
  const keys = selectorParts(selector).map(([dimension, parts]) => ruleKeyToBytes(ruleKey(tenantKey, dimension, parts)));
  return `{${keys.map((key) => `"\\\\x${key.toString('hex')}"`).join(',')}}`;
}
