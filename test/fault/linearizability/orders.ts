import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Caller } from './calls.js';
import type { Credentials } from './deployment.js';
import { hostClock, isByIdentity, valueOf, type SentLift, type SentOrder, type Value } from './history.js';
import type { Minting } from './minting.js';
import { createOrderPlans, ORDER_KINDS, type OrderKind, type Plan, type Terms } from './order-plans.js';
import type { Population } from './population.js';
import type { Random } from './random.js';
import { memberValue, type Minted, type Universe } from './universe.js';

const PAUSE_MS = 120;
/** Each kind as often as its share. */
const SHARES = Object.entries(ORDER_KINDS).flatMap(([kind, share]) => Array<OrderKind>(share).fill(kind as OrderKind));

export interface OrdersOptions {
  readonly orders: SentOrder[];
  readonly counts: Record<string, number>;
  readonly universe: Universe;
  readonly population: Population;
  readonly minting: Pick<Minting, 'record'>;
  readonly caller: Caller;
  readonly credentials: Credentials;
  readonly random: Random;
  readonly ended: AbortSignal;
}

export interface Orders {
  /** One order after the other, with its lift, until the run ends. */
  run(): Promise<void>;
  /** Stops everything and lets it go on. */
  stopEverything(): Promise<void>;
}

export function createOrders({
  orders,
  counts,
  universe,
  population,
  minting,
  caller,
  credentials,
  random,
  ended,
}: OrdersOptions): Orders {
  const { membersFor, planFor } = createOrderPlans(random);
  /** Writes the order down, sends it until it is answered, and has what it selects checked before, at once and afterwards. */
  async function send(order: SentOrder, call: () => ReturnType<Caller['untilAnswered']>): Promise<string | undefined> {
    population.focus(population.selected(order.selector));
    orders.push(order);
    const answer = await call();
    if (!answer) return undefined;
    order.answered = hostClock();
    population.focus(population.selected(order.selector));
    return answer.text;
  }

  async function orderAbout(kind: OrderKind, minted: Minted): Promise<void> {
    const dimensions = membersFor(kind, minted);
    if (dimensions.length === 0) return;
    const members = dimensions.map((dimension) => [dimension, random.pick(minted.members[dimension]!)] as const);
    const { terms, lift } = planFor(dimensions);
    await orderAndLift(
      Object.fromEntries(members),
      members.map(([dimension, member]) => memberValue(dimension, member)),
      terms,
      lift,
    );
    counts[kind] = (counts[kind] ?? 0) + 1;
  }

  async function orderAndLift(
    selector: object,
    values: readonly Value[],
    terms: Terms,
    lift?: Plan['lift'],
  ): Promise<void> {
    const authorization = `Bearer ${credentials.admin}`;
    const key = randomUUID();
    const body = JSON.stringify({
      selector,
      ...terms,
      reason: 'linearizability',
      ...(values.length === 0 ? { confirm: true } : {}),
    });
    const sent: SentOrder = { ...terms, selector: values, door: 'order', began: hostClock() };
    const text = await send(sent, () =>
      caller.untilAnswered({
        path: '/v1/revocations',
        authorization,
        contentType: 'application/json',
        body,
        // The answer that comes as soon as the rule is in force is the harder promise.
        headers: { 'idempotency-key': key, prefer: 'return=minimal' },
        // A repetition that finds `until` passed hears that, not what became of the first.
        lapsesWith: 'time-not-future',
      }),
    );
    if (text === undefined) return;
    if (lift) {
      await delay(lift.afterMs);
      await liftIt(sent, (JSON.parse(text) as { id: string }).id, lift.resume);
    }
    bury(sent);
  }

  async function liftIt(order: SentOrder, id: string, resume: boolean): Promise<void> {
    const lift: SentLift = { resume, began: hostClock() };
    order.lift = lift;
    const call = {
      path: `/v1/revocations/${id}/lift`,
      authorization: `Bearer ${credentials.admin}`,
      contentType: 'application/json',
    };
    const answer = await caller.untilAnswered({
      ...call,
      headers: { prefer: 'return=minimal' },
      body: JSON.stringify({ resume, reason: 'linearizability' }),
    });
    if (!answer) return;
    lift.answered = hostClock();
    population.focus(population.selected(order.selector));
    counts[resume ? 'lift.resume' : 'lift'] = (counts[resume ? 'lift.resume' : 'lift'] ?? 0) + 1;
  }

  /** Takes out of those that may be active what the order, or what its end left behind, has stopped for good. */
  function bury(order: SentOrder): void {
    if (order.resume === true || order.lift?.resume === true) return;
    population.bury(population.selected(order.selector).filter((token) => isDead(population.tokens[token]!, order)));
  }

  async function revoke(minted: Minted, effect: SentOrder['effect']): Promise<SentOrder> {
    const sent: SentOrder = { effect, selector: [valueOf('token', minted.sha256)], door: 'revoke', began: hostClock() };
    const authorization = `Bearer ${credentials.clients.get(minted.ras)!}`;
    await send(sent, () =>
      caller.untilAnswered({
        path: '/revoke',
        authorization,
        contentType: 'application/x-www-form-urlencoded',
        body: `token=${minted.text}`,
      }),
    );
    return sent;
  }

  /** A token that its client revokes before anybody has told Rescind of it: it must never be active. */
  async function revokeUnrecorded(): Promise<void> {
    const minted = universe.mint();
    const sent = await revoke(minted, 'block');
    if (sent.answered === undefined) return;
    const token = await minting.record(minted);
    if (token === undefined) return;
    population.focus([token]);
    population.bury([token]);
    counts['revoke.unrecorded'] = (counts['revoke.unrecorded'] ?? 0) + 1;
  }

  async function next(): Promise<void> {
    const kind = random.pick(SHARES);
    if (kind === 'revoke.unrecorded') return revokeUnrecorded();
    const token = population.pickLive();
    if (token === undefined) return;
    if (kind !== 'revoke.recorded') return orderAbout(kind, population.minted(token));
    const sent = await revoke(population.minted(token), 'revoke');
    if (sent.answered === undefined) return;
    bury(sent);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }

  return {
    async run() {
      while (!ended.aborted) {
        await next();
        await delay(random.between(0, PAUSE_MS));
      }
    },
    async stopEverything() {
      await orderAndLift({ all: true }, [], { effect: 'block' }, { resume: true, afterMs: 1_000 });
      counts['all'] = (counts['all'] ?? 0) + 1;
    },
  };
}

/** Whether the order, or what its end left behind, has stopped a token that it selects for good. */
function isDead({ grantedAt, skew, recorded }: Population['tokens'][number], order: SentOrder): boolean {
  if (isByIdentity(order)) return true;
  const moment = order.before ?? order.until;
  return moment === undefined ? recorded < (order.lift?.began ?? order.began) : grantedAt <= moment + skew;
}
