import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Caller } from './calls.js';
import type { Credentials } from './deployment.js';
import { hostClock, isByIdentity, valueOf, type SentLift, type SentOrder, type Value } from './history.js';
import type { Minting } from './minting.js';
import type { Population } from './population.js';
import type { Random } from './random.js';
import { memberValue, type Minted, type Universe } from './universe.js';

/** Dimensions by how much they select, the most selective first: a selector of the history begins with the member that finds its tokens. */
const DIMENSIONS = [
  'token',
  'id_jag',
  'session',
  'user',
  'agent',
  'client',
  'agent_type',
  'resource',
  'issuer',
] as const;
type Dimension = (typeof DIMENSIONS)[number];

const NARROW: ReadonlySet<string> = new Set(['token', 'id_jag', 'session']);
const WIDE: ReadonlySet<string> = new Set(['client', 'agent_type', 'resource', 'issuer']);

/** Kinds of orders, with the share of each. */
export const ORDER_KINDS = {
  token: 14,
  id_jag: 10,
  session: 14,
  user: 12,
  agent: 8,
  client: 5,
  agent_type: 2,
  resource: 3,
  issuer: 2,
  combination: 20,
  'revoke.recorded': 15,
  'revoke.unrecorded': 4,
} as const;
export type OrderKind = keyof typeof ORDER_KINDS;

const PAUSE_MS = 120;
const MAX_MEMBERS = 4;

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

interface Terms {
  readonly effect: 'revoke' | 'block';
  readonly before?: number;
  readonly until?: number;
  readonly resume?: true;
}

/** How an order goes on once it is in force. */
type Plan = { readonly terms: Terms; readonly lift?: { readonly resume: boolean; readonly afterMs: number } };

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
  const epoch = (): number => Math.floor(Date.now() / 1000);
  const shares = Object.entries(ORDER_KINDS).flatMap(([kind, share]) =>
    Array<OrderKind>(share).fill(kind as OrderKind),
  );

  function planFor(dimensions: readonly Dimension[]): Plan {
    const chance = random.below(100);
    const blockUntil = (ms: number): Plan => ({
      terms: {
        effect: 'block',
        until: Math.ceil((Date.now() + ms) / 1000),
        ...(random.chance(70) ? { resume: true as const } : {}),
      },
    });
    const blockAndLift = (resumePercent: number, ms: number): Plan => ({
      terms: { effect: 'block' },
      lift: { resume: random.chance(resumePercent), afterMs: random.between(50, ms) },
    });
    const revokeBefore = (seconds: number): Plan => ({
      terms: { effect: 'revoke', before: epoch() - random.below(seconds) },
    });
    if (dimensions.every((dimension) => WIDE.has(dimension)) && dimensions.length === 1) {
      if (chance < 20 && dimensions[0] === 'client') return revokeBefore(60);
      return chance < 85
        ? blockAndLift(100, 1_500)
        : { terms: { effect: 'block', until: Math.ceil(Date.now() / 1000) + 1, resume: true } };
    }
    if (dimensions.some((dimension) => NARROW.has(dimension))) {
      if (chance < 60) return { terms: { effect: 'revoke' } };
      if (chance < 80) return blockAndLift(50, 3_000);
      return chance < 90 ? blockUntil(3_000) : { terms: { effect: 'revoke' } };
    }
    if (chance < 30) return { terms: { effect: 'revoke' } };
    if (chance < 78) return blockAndLift(65, 4_000);
    return chance < 90 ? blockUntil(3_000) : revokeBefore(60);
  }

  function membersFor(kind: OrderKind, minted: Minted): readonly Dimension[] {
    const present = DIMENSIONS.filter((dimension) => minted.members[dimension]);
    if (kind !== 'combination') return present.filter((dimension) => dimension === kind);
    const count = 2 + random.below(MAX_MEMBERS - 1);
    const chosen = new Set(random.shuffle(present).slice(0, count));
    return present.filter((dimension) => chosen.has(dimension));
  }

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
    const asOf = order.lift?.began ?? order.began;
    const isDead = (token: number): boolean => {
      const { grantedAt, skew, recorded } = population.tokens[token]!;
      const moment = order.before ?? order.until;
      if (isByIdentity(order)) return true;
      return moment === undefined ? recorded < asOf : grantedAt <= moment + skew;
    };
    population.bury(population.selected(order.selector).filter(isDead));
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
    const kind = random.pick(shares);
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
