import { createLease, type Lease, type LeaseSnapshot } from '../../src/lease/lease.js';
import type { Seq } from '../../src/lease/seq.js';
import type { NodeRow, SeenCounter, Wait } from '../../src/lease/waiting.js';

/**
 * One moment of a small deployment. Every time in it is relative to now, on the clock of the party it belongs to, so that
 * two histories that can go on in the same ways are the same world, and no history needs an end.
 */
export interface World {
  /** The tables that statements see; `disk` is the part that survives a crash of the database. */
  readonly memory: Tables;
  readonly disk: Tables;
  readonly databaseCrashes: number;
  readonly nodes: readonly Node[];
  readonly guards: readonly Guard[];
  /** One for each rule. */
  readonly waiters: readonly Waiter[];
  /** Statements whose sender has given up or gone: they may yet take effect. */
  readonly late: readonly Statement[];
  /** Questions of guards that have given up or gone: a node may yet answer them. */
  readonly lateQuestions: readonly Question[];
}

export interface Tables {
  /** Rules that are committed. */
  readonly head: number;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly id: number;
  readonly counter: number;
  readonly confirmed: number;
}

export type Statement =
  | { readonly what: 'join'; readonly node: number; readonly id: number }
  | { readonly what: 'read'; readonly node: number }
  | {
      readonly what: 'renew';
      readonly node: number;
      readonly id: number;
      readonly confirmed: number;
      readonly sent: number;
    }
  | { readonly what: 'acknowledge'; readonly node: number; readonly id: number; readonly confirmed: number }
  | { readonly what: 'leave'; readonly node: number; readonly id: number }
  | { readonly what: 'reap'; readonly id: number; readonly counter: number };

export interface Node {
  readonly isAlive: boolean;
  /** Rows it has joined under; each process and each join takes the next id. */
  readonly joins: number;
  readonly lease: LeaseSnapshot;
  /** Its statement that is on its way, and then the reply that it has yet to hear: a number for what was found. */
  readonly asking: Statement | undefined;
  readonly reply: number | undefined;
  /** Traps alone: an answer decided before the lease is looked at, from so many rules; a lease as a flag. */
  readonly decided: number | undefined;
  readonly flag: boolean;
}

export interface Question {
  readonly guard: number;
  readonly id: number;
  readonly node: number;
  readonly held: number;
}

export interface Guard {
  readonly starts: number;
  readonly held: number;
  /** How long it may still answer. */
  readonly remaining: number;
  /** The question that it waits for, when it asked, and the grant that is on its way. */
  readonly question: Question | undefined;
  readonly asked: number;
  readonly granted: number | undefined;
}

export interface Waiter {
  readonly stage: 'idle' | 'waiting' | 'answered';
  readonly seq: number;
  readonly needed: readonly number[] | undefined;
  readonly seen: readonly { readonly id: number; readonly counter: number; readonly since: number }[];
  /** Traps alone: when its read was sent, while it is on its way. */
  readonly readSent: number | undefined;
}

/** The size of a run. Every bound limits how often something happens; none limits time. */
export interface Size {
  readonly nodes: number;
  readonly guards: number;
  readonly rules: number;
  /** Joins of one node, over all of its processes. */
  readonly joins: number;
  readonly guardStarts: number;
  readonly late: number;
  readonly lateQuestions: number;
  readonly databaseCrashes: number;
  readonly leaves: boolean;
  /** L, in ticks of a clock of rate 1, and f. */
  readonly lease: number;
  readonly fraction: number;
  /** How far each party's clock goes in a tick. */
  readonly rates: { readonly node: number; readonly guard: number; readonly waiter: number };
}

export const NOW = { monotonic: 0, withStops: 0 };
export const NEVER = -1000;

export const leaseOf = (size: Size, node: Node): Lease =>
  createLease({ leaseMs: size.lease, fraction: size.fraction }, node.lease);

/** All guards here are of one tenant, so what was sent for it is one number. */
export function snapshotOf(lease: Lease): LeaseSnapshot {
  const snapshot = lease.snapshot();
  return { ...snapshot, highestSent: snapshot.sentBehind[0]?.[1] ?? snapshot.highestSent, sentBehind: [] };
}

const FRESH = createLease({ leaseMs: 1, fraction: 1 }).snapshot();

export const newNode = (joins: number): Node => ({
  isAlive: true,
  joins,
  lease: FRESH,
  asking: undefined,
  reply: undefined,
  decided: undefined,
  flag: false,
});

export const newGuard = (starts: number): Guard => ({
  starts,
  held: 0,
  remaining: 0,
  question: undefined,
  asked: NEVER,
  granted: undefined,
});

export function firstWorld(size: Size): World {
  const empty: Tables = { head: 0, rows: [] };
  return {
    memory: empty,
    disk: empty,
    databaseCrashes: 0,
    nodes: Array.from({ length: size.nodes }, () => newNode(0)),
    guards: Array.from({ length: size.guards }, () => newGuard(1)),
    waiters: Array.from({ length: size.rules }, () => ({
      stage: 'idle',
      seq: 0,
      needed: undefined,
      seen: [],
      readSent: undefined,
    })),
    late: [],
    lateQuestions: [],
  };
}

/** A tick: every clock goes on by its rate. What is long over is forgotten, so that there are finitely many worlds. */
export function tick(world: World, size: Size): World {
  const { rates, lease, fraction } = size;
  const usable = lease * fraction;
  return {
    ...world,
    nodes: world.nodes.map((node) => agedNode(node, rates.node, usable)),
    guards: world.guards.map((guard) => ({
      ...guard,
      remaining: Math.max(0, guard.remaining - rates.guard),
      asked: guard.question || guard.granted !== undefined ? Math.max(guard.asked - rates.guard, -lease) : NEVER,
    })),
    waiters: world.waiters.map((waiter) => ({
      ...waiter,
      seen: waiter.seen.map((one) => ({ ...one, since: Math.max(one.since - rates.waiter, -lease) })),
      readSent: waiter.readSent === undefined ? undefined : Math.max(waiter.readSent - rates.waiter, -lease),
    })),
  };
}

function agedNode(node: Node, rate: number, usable: number): Node {
  const { lease, asking } = node;
  const isSent = asking?.what === 'renew' && asking.sent > -usable;
  if (lease.renewedAt === undefined && lease.grants.length === 0 && !isSent) return node;
  const renewedAt =
    lease.renewedAt === undefined || rate - lease.renewedAt >= usable ? undefined : lease.renewedAt - rate;
  const grants = lease.grants
    .filter(({ until }) => until > rate)
    .map((grant) => ({ ...grant, until: grant.until - rate }));
  return {
    ...node,
    lease: { ...lease, renewedAt, grants },
    asking: isSent ? { ...asking, sent: Math.max(asking.sent - rate, -usable) } : asking,
  };
}

/**
 * Counters matter by which are equal and which come next after which (a crash may take a renewal back, and the next one
 * then gives the same number), so each row's smallest becomes 0 and wider gaps become 2.
 */
export function normalized(all: World, isCounterIgnored = false): World {
  const isOpen = (statement: Statement): boolean => canDoSomething(all, statement, isCounterIgnored);
  const world = all.late.every(isOpen) ? all : { ...all, late: all.late.filter(isOpen) };
  const counters = new Map<number, number[]>();
  const see = (id: number, counter: number): void => void counters.set(id, [...(counters.get(id) ?? []), counter]);
  for (const { rows } of world.disk === world.memory ? [world.memory] : [world.memory, world.disk])
    for (const { id, counter } of rows) see(id, counter);
  for (const { seen } of world.waiters) for (const { id, counter } of seen) see(id, counter);
  for (const statement of world.late) if (statement.what === 'reap') see(statement.id, statement.counter);
  const renumbered = new Map([...counters].map(([id, those]) => [id, renumber(those)]));
  if ([...renumbered.values()].every((numbers) => numbers === undefined)) return world;
  const change = <T extends { readonly id: number; readonly counter: number }>(one: T): T => ({
    ...one,
    counter: renumbered.get(one.id)?.get(one.counter) ?? one.counter,
  });
  const changeTables = (tables: Tables): Tables => ({ ...tables, rows: tables.rows.map(change) });
  const memory = changeTables(world.memory);
  return {
    ...world,
    memory,
    disk: world.disk === world.memory ? memory : changeTables(world.disk),
    waiters: world.waiters.map((waiter) =>
      waiter.seen.length > 0 ? { ...waiter, seen: waiter.seen.map(change) } : waiter,
    ),
    late: world.late.map((statement) => (statement.what === 'reap' ? change(statement) : statement)),
  };
}

/** An id that was seen to go is never used again, and a counter that has passed does not come back. */
function canDoSomething({ memory, disk }: World, statement: Statement, isCounterIgnored: boolean): boolean {
  if (statement.what === 'join' || statement.what === 'read') return true;
  return [memory, disk].some(({ rows }) =>
    rows.some((row) => {
      if (row.id !== statement.id) return false;
      if (statement.what === 'reap') return row.counter <= statement.counter || isCounterIgnored;
      return statement.what !== 'acknowledge' || row.confirmed < statement.confirmed;
    }),
  );
}

/** Undefined where every number stays. */
function renumber(counters: readonly number[]): ReadonlyMap<number, number> | undefined {
  const sorted = counters.length === 1 ? counters : [...new Set(counters)].sort((a, b) => a - b);
  const numbers = new Map<number, number>();
  let changes = false;
  let last = 0;
  for (const [at, counter] of sorted.entries()) {
    last = at === 0 ? 0 : last + Math.min(counter - sorted[at - 1]!, 2);
    numbers.set(counter, last);
    changes ||= last !== counter;
  }
  return changes ? numbers : undefined;
}

export interface Naming {
  /** Equal for worlds that can go on in the same ways, and for no others. */
  name(world: World): string;
  /** The same world, made of parts that worlds named before have in common with it. */
  shared(world: World): World;
}

/** Each part that occurs is kept once and has a number, so that a million worlds fit in memory. */
export function createNaming(): Naming {
  const parts = new Map<string, { readonly part: object; readonly number: string }>();
  const known = new Map<object, string>();
  function entryOf<T extends object>(
    part: T,
    text: (part: T) => string,
  ): { readonly part: object; readonly number: string } {
    const spelled = text(part);
    let entry = parts.get(spelled);
    if (!entry) {
      entry = { part, number: String.fromCharCode(parts.size & 0x7fff, parts.size >> 15) };
      parts.set(spelled, entry);
      known.set(part, entry.number);
    }
    return entry;
  }
  const numberOf = <T extends object>(part: T, text: (part: T) => string): string =>
    known.get(part) ?? entryOf(part, text).number;
  const share = <T extends object>(part: T, text: (part: T) => string): T =>
    known.has(part) ? part : (entryOf(part, text).part as T);
  return {
    name({ memory, disk, databaseCrashes, nodes, guards, waiters, late, lateQuestions }) {
      let name = numberOf(memory, tablesText) + numberOf(disk, tablesText) + databaseCrashes;
      for (const node of nodes) name += numberOf(node, nodeText);
      for (const guard of guards) name += numberOf(guard, guardText);
      for (const waiter of waiters) name += numberOf(waiter, waiterText);
      return name + numberOf(late, lateText) + numberOf(lateQuestions, questionsText);
    },
    shared: (world) => ({
      memory: share(world.memory, tablesText),
      disk: share(world.disk, tablesText),
      databaseCrashes: world.databaseCrashes,
      nodes: world.nodes.map((node) => share(node, nodeText)),
      guards: world.guards.map((guard) => share(guard, guardText)),
      waiters: world.waiters.map((waiter) => share(waiter, waiterText)),
      late: share(world.late, lateText),
      lateQuestions: share(world.lateQuestions, questionsText),
    }),
  };
}

const lateText = (late: World['late']): string => `l${late.map(statementText).sort().join(';')}`;
const questionsText = (questions: World['lateQuestions']): string => `q${questions.map(questionText).sort().join(';')}`;
const tablesText = ({ head, rows }: Tables): string =>
  `t${head}:${rows.map((row) => `${row.id}.${row.counter}.${row.confirmed}`).join(';')}`;
const questionText = (question: Question): string => `${question.id}.${question.node}.${question.held}`;
const statementText = (statement: Statement): string => Object.values(statement).join('.');
const guardText = ({ starts, held, remaining, question, asked, granted }: Guard): string =>
  `g${starts},${held},${remaining},${question ? questionText(question) : ''},${asked},${granted ?? ''}`;
const waiterText = ({ stage, seq, needed, seen, readSent }: Waiter): string =>
  `w${stage}${seq},${needed?.join('.') ?? '-'},${seen.map((one) => `${one.id}.${one.counter}.${one.since}`).join(';')},${readSent ?? ''}`;

function nodeText({ isAlive, joins, lease, asking, reply, decided, flag }: Node): string {
  const grants = lease.grants
    .map(({ guard, applied, until }) => `${guard}.${applied}.${until}`)
    .sort()
    .join(';');
  const bits = [isAlive, lease.isCaughtUp, lease.isGranting, lease.isAnswering, flag].map(Number).join('');
  return `n${bits},${joins},${lease.held},${lease.row ?? ''},${lease.renewedAt ?? ''},${lease.highestSent},${grants},${asking ? statementText(asking) : ''},${reply ?? ''},${decided ?? ''}`;
}

/** The product's own shapes, for `judge` and `observe`. */
/** The one tenant whose guards and rules these are; what is said of all tenants is left at nothing, so that no wait goes by it. */
export const TENANT = '';
const NOTHING_SAID = 0n as Seq;

export const rowsOf = (tables: Tables, size: Size): Map<string, NodeRow> =>
  new Map(
    tables.rows.map(({ id, counter, confirmed }) => [
      String(id),
      {
        id: String(id),
        counter: BigInt(counter),
        confirmed: NOTHING_SAID,
        byTenant: { applied: NOTHING_SAID, behind: new Map([[TENANT, BigInt(confirmed) as Seq]]) },
        guards: 0,
        leaseMs: size.lease,
      },
    ]),
  );

export const waitOf = ({ seq, needed }: Waiter): Wait => ({
  seq: BigInt(seq) as Seq,
  tenant: TENANT,
  needed: needed && new Set(needed.map(String)),
  nodes: 0,
  guards: 0,
  expired: 0,
});

export const seenOf = ({ seen }: Waiter, size: Size): Map<string, SeenCounter> =>
  new Map(seen.map(({ id, counter, since }) => [String(id), { counter: BigInt(counter), since, leaseMs: size.lease }]));

export const fromSeen = (seen: ReadonlyMap<string, SeenCounter>): Waiter['seen'] =>
  [...seen]
    .map(([id, { counter, since }]) => ({ id: Number(id), counter: Number(counter), since }))
    .sort((a, b) => a.id - b.id);
