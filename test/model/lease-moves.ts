import { confirmedFor } from '../../src/lease/lease.js';
import type { Seq } from '../../src/lease/seq.js';
import { hear, isOver, judge, observe } from '../../src/lease/waiting.js';
import {
  fromSeen,
  leaseOf,
  newGuard,
  newNode,
  NOW,
  normalized,
  rowsOf,
  TENANT,
  seenOf,
  snapshotOf,
  tick,
  waitOf,
  type Guard,
  type Node,
  type Question,
  type Row,
  type Size,
  type Statement,
  type Tables,
  type Waiter,
  type World,
} from './lease-world.js';

/** Rules of the protocol page, each of which a run may break. */
export type Trap =
  | 'row id used again'
  | 'read before the join was heard'
  | 'lease counted from the reply'
  | 'held written as confirmed'
  | 'decide, await, then check the lease'
  | 'lease as a flag that a timer clears'
  | 'renewal that is not durable'
  | 'deletion that is not durable'
  | 'deletion whatever the counter'
  | 'waiter’s clock started before the reply'
  | 'waiter’s clock not started again at a new counter'
  | 'rows read before the commit was heard'
  | 'retry that answers at once'
  | 'guard id used again'
  | 'grant counted from the reply'
  | 'grant used whole'
  | 'grant to a guard below what was confirmed'
  | 'grant recorded after it is answered'
  | 'node leaves while its grants run'
  | 'renewing without reading'
  | 'own row adopted after a restart';

export interface Protocol {
  readonly size: Size;
  readonly trap?: Trap | undefined;
}

export type Emit = (label: string, next: World) => void;

/** Everything that can happen next. A pause is that nothing of a party happens while its clock goes on. */
export function moves(protocol: Protocol, world: World, emit: Emit): void {
  const say: Emit = (label, next) => emit(label, normalized(next, protocol.trap === 'deletion whatever the counter'));
  world.nodes.forEach((node, at) => nodeMoves(protocol, world, node, at, say));
  world.guards.forEach((guard, at) => guardMoves(protocol, world, guard, at, say));
  world.waiters.forEach((waiter, at) => waiterMoves(protocol, world, waiter, at, say));
  // One that is lost is one that never comes.
  world.late.forEach((statement, at) =>
    say(`late ${statement.what} takes effect`, {
      ...execute(protocol, world, statement).world,
      late: without(world.late, at),
    }),
  );
  world.lateQuestions.forEach((question, at) => {
    say('late question of a guard reaches its node', {
      ...answerQuestion(protocol, world, question).world,
      lateQuestions: without(world.lateQuestions, at),
    });
  });
  if (world.databaseCrashes < protocol.size.databaseCrashes) say('the database crashes', databaseCrash(world));
  say('tick', tick(world, protocol.size));
}

/** A crash keeps what was durable, and the statements that were on their way are lost with their sessions. */
function databaseCrash(world: World): World {
  const nodes = world.nodes.map((node) =>
    node.asking && node.reply === undefined ? { ...node, asking: undefined } : node,
  );
  return { ...world, memory: world.disk, databaseCrashes: world.databaseCrashes + 1, nodes, late: [] };
}

// ── Statements ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** One autocommit statement. A durable commit takes with it whatever was committed before. */
function execute({ trap }: Protocol, world: World, statement: Statement): { world: World; found: number } {
  const { memory } = world;
  const durably = (tables: Tables): World => ({ ...world, memory: tables, disk: tables });
  const update = (id: number, change: (row: Row) => Row): Tables => ({
    ...memory,
    rows: memory.rows.map((row) => (row.id === id ? change(row) : row)),
  });
  const remove = (matches: (row: Row) => boolean): Tables => ({
    ...memory,
    rows: memory.rows.filter((row) => !matches(row)),
  });
  switch (statement.what) {
    case 'join': {
      const others = memory.rows.filter(({ id }) => id !== statement.id);
      const rows = [...others, { id: statement.id, counter: 0, confirmed: 0 }].sort((a, b) => a.id - b.id);
      return { world: durably({ ...memory, rows }), found: 1 };
    }
    case 'read':
      return { world, found: memory.head };
    case 'renew': {
      const { id, confirmed } = statement;
      const found = memory.rows.some((row) => row.id === id) ? 1 : 0;
      const tables = update(id, (row) => ({
        id,
        counter: row.counter + 1,
        confirmed: Math.max(row.confirmed, confirmed),
      }));
      if (found === 0) return { world, found };
      return { world: trap === 'renewal that is not durable' ? { ...world, memory: tables } : durably(tables), found };
    }
    case 'acknowledge': {
      const { id, confirmed } = statement;
      const row = memory.rows.find((one) => one.id === id);
      if (!row || row.confirmed >= confirmed) return { world, found: row ? 1 : 0 };
      return { world: { ...world, memory: update(id, (one) => ({ ...one, confirmed })) }, found: 1 };
    }
    case 'leave':
      return { world: durably(remove(({ id }) => id === statement.id)), found: 1 };
    case 'reap': {
      const tables = remove(
        ({ id, counter }) =>
          id === statement.id && (counter === statement.counter || trap === 'deletion whatever the counter'),
      );
      if (tables.rows.length === memory.rows.length) return { world, found: 0 };
      return {
        world: trap === 'deletion that is not durable' ? { ...world, memory: tables } : durably(tables),
        found: 1,
      };
    }
  }
}

// ── Nodes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Lists the moves of a node, in steps as large as possible without hiding a history: a statement that carries no time is sent when it
 * takes effect, or never comes back from its lateness; a node that stands between two steps is one that took the first
 * later; a crash is told together with the start that follows, since one without is a pause that does not end.
 */
function nodeMoves(protocol: Protocol, world: World, node: Node, at: number, say: Emit): void {
  const { size, trap } = protocol;
  const put = (next: Node, from: World = world): World => ({ ...from, nodes: replaced(from.nodes, at, next) });
  const name = `node ${at}`;
  if (!node.isAlive) return;
  const pending = node.asking && node.reply === undefined ? node.asking : undefined;
  if (node.joins > 0 && node.joins < size.joins) giveUp('crashes and starts again', newNode(node.joins));

  if (node.asking) {
    if (pending) {
      const done = execute(protocol, world, pending);
      say(`${name}: ${pending.what} takes effect`, put({ ...node, reply: done.found }, done.world));
    } else {
      const next = heard(protocol, node, node.asking, node.reply!);
      say(`${name} hears of its ${node.asking.what}`, put(next));
      if (node.asking.what === 'read') renew(next);
    }
    if (node.asking.what !== 'read')
      giveUp(`does not hear of its ${node.asking.what}`, { ...node, asking: undefined, reply: undefined });
    return;
  }
  if (node.lease.row === undefined) join();
  else {
    const done = execute(protocol, world, { what: 'read', node: at });
    say(`${name} reads`, put({ ...node, asking: { what: 'read', node: at }, reply: done.found }));
    if (trap === 'renewing without reading') renew(node);
    acknowledge(Number(node.lease.row));
    leave(Number(node.lease.row));
  }
  if (
    trap === 'decide, await, then check the lease' &&
    node.decided === undefined &&
    isDecisive(world, Number(node.lease.held))
  ) {
    say(`${name} decides an answer`, put({ ...node, decided: Number(node.lease.held) }));
  }
  if (trap === 'lease as a flag that a timer clears' && node.flag && !leaseOf(size, node).mayAnswer(NOW))
    say(`${name}: the timer clears the flag`, put({ ...node, flag: false }));

  /** Its statement may take effect later, or not. */
  function giveUp(how: string, next: Node): void {
    say(`${name} ${how}`, put(next));
    if (pending && world.late.length < size.late)
      say(`${name} ${how}; its ${pending.what} is late`, { ...put(next), late: [...world.late, timeless(pending)] });
  }

  function join(): void {
    if (node.joins >= size.joins || !node.lease.isAnswering) return;
    const isSameRow = trap === 'row id used again' || trap === 'own row adopted after a restart';
    const id = at * 10 + (isSameRow ? 0 : node.joins);
    const next = { ...node, joins: node.joins + 1 };
    const statement: Statement = { what: 'join', node: at, id };
    if (trap === 'own row adopted after a restart' && world.memory.rows.some((row) => row.id === id)) {
      say(`${name} adopts its row`, put(heard(protocol, next, statement, 1)));
      return;
    }
    const joined = execute(protocol, world, statement).world;
    say(`${name} joins`, put({ ...next, asking: statement, reply: 1 }, joined));
    if (world.late.length < size.late)
      say(`${name} joins; its join is late`, { ...put(next), late: [...world.late, statement] });
    if (trap === 'read before the join was heard' && world.late.length < size.late) {
      // The row is there later than the read that counts for it.
      const lease = leaseOf(size, next);
      lease.joined(String(id));
      lease.applied(seq(world.memory.head), true);
      say(`${name} reads and sends its join`, {
        ...put({ ...next, lease: snapshotOf(lease) }),
        late: [...world.late, statement],
      });
    }
  }

  function confirmed(from: Node): { readonly value: number; readonly next: Node } {
    const lease = leaseOf(size, from);
    const value = trap === 'held written as confirmed' ? lease.held : confirmedFor(lease.confirm(NOW), TENANT);
    return { value: Number(value), next: { ...from, lease: snapshotOf(lease) } };
  }

  function renew(from: Node): void {
    if (from.lease.row === undefined || !from.lease.isCaughtUp) return;
    const { value, next } = confirmed(from);
    say(
      `${name} sends renew`,
      put({
        ...next,
        asking: { what: 'renew', node: at, id: Number(from.lease.row), confirmed: value, sent: 0 },
        reply: undefined,
      }),
    );
  }

  function acknowledge(id: number): void {
    const { value, next } = confirmed(node);
    const row = world.memory.rows.find((one) => one.id === id);
    if (!row || value <= row.confirmed) return;
    const statement: Statement = { what: 'acknowledge', node: at, id, confirmed: value };
    say(`${name} acknowledges ${value}`, put(next, execute(protocol, world, statement).world));
    if (world.late.length < size.late)
      say(`${name} acknowledges ${value}, late`, { ...put(next), late: [...world.late, statement] });
  }

  function leave(id: number): void {
    if (!size.leaves) return;
    const lease = leaseOf(size, node);
    if (node.lease.isAnswering) {
      lease.leave();
      say(`${name} begins to leave`, put({ ...node, lease: snapshotOf(lease) }));
    } else if (lease.mayGo(NOW) || trap === 'node leaves while its grants run') {
      const statement: Statement = { what: 'leave', node: at, id };
      const gone = { ...newNode(node.joins), isAlive: false };
      say(`${name} leaves`, put(gone, execute(protocol, world, statement).world));
      if (world.late.length < size.late)
        say(`${name} leaves, late`, { ...put(gone), late: [...world.late, statement] });
    }
  }
}

/** Drops the time of a statement that nobody hears of any more. */
const timeless = (statement: Statement): Statement =>
  statement.what === 'renew' ? { ...statement, sent: 0 } : statement;

/** Deciding early matters only where a rule has been answered that the decision lacks. */
const isDecisive = (world: World, held: number): boolean =>
  world.waiters.some(({ stage, seq: ordered }) => stage === 'answered' && ordered > held);

function heard({ size, trap }: Protocol, node: Node, statement: Statement, reply: number): Node {
  const lease = leaseOf(size, node);
  let { flag } = node;
  switch (statement.what) {
    case 'join':
      lease.joined(String(statement.id));
      break;
    case 'read':
      lease.applied(seq(reply), true);
      break;
    case 'renew':
      lease.renewed(
        trap === 'lease counted from the reply' ? NOW : { ...NOW, withStops: statement.sent },
        String(statement.id),
        reply === 1,
      );
      flag = trap === 'lease as a flag that a timer clears' && lease.mayAnswer(NOW);
      break;
    default:
  }
  return { ...node, lease: snapshotOf(lease), asking: undefined, reply: undefined, flag };
}

// ── Guards ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function guardMoves(protocol: Protocol, world: World, guard: Guard, at: number, say: Emit): void {
  const { size, trap } = protocol;
  const put = (next: Guard, from: World = world): World => ({ ...from, guards: replaced(from.guards, at, next) });
  const name = `guard ${at}`;
  if (guard.starts < size.guardStarts) giveUp('crashes and starts again', newGuard(guard.starts + 1));
  const ahead = Math.max(...world.nodes.map((node) => (node.isAlive ? Number(node.lease.held) : 0)));
  if (guard.held < ahead) say(`${name} applies what a node's feed says`, put({ ...guard, held: guard.held + 1 }));

  if (guard.question) {
    const answered = answerQuestion(protocol, world, guard.question);
    say(
      `${name}'s question reaches node ${guard.question.node}`,
      put({ ...guard, question: undefined, granted: answered.grant }, answered.world),
    );
    giveUp('does not hear of its question', { ...guard, question: undefined });
  } else if (guard.granted !== undefined) {
    const usable = trap === 'grant used whole' ? guard.granted : size.fraction * guard.granted;
    const elapsed = trap === 'grant counted from the reply' ? 0 : -guard.asked;
    const late = trap === 'grant recorded after it is answered' ? world.lateQuestions : undefined;
    say(`${name} hears its grant`, {
      ...put({ ...guard, granted: undefined, remaining: Math.max(guard.remaining, usable - elapsed) }),
      ...(late ? { lateQuestions: late } : {}),
    });
    say(`${name}'s grant is lost`, put({ ...guard, granted: undefined }));
  } else {
    const id = at * 10 + (trap === 'guard id used again' ? 0 : guard.starts);
    world.nodes.forEach((node, to) => {
      if (node.isAlive && node.lease.renewedAt !== undefined) {
        say(
          `${name} asks node ${to} for a lease`,
          put({ ...guard, question: { guard: at, id, node: to, held: guard.held }, asked: 0 }),
        );
      }
    });
  }

  function giveUp(how: string, next: Guard): void {
    say(`${name} ${how}`, put(next));
    if (guard.question && world.lateQuestions.length < size.lateQuestions) {
      say(`${name} ${how}; its question is late`, {
        ...put(next),
        lateQuestions: [...world.lateQuestions, guard.question],
      });
    }
  }
}

function answerQuestion(
  { size, trap }: Protocol,
  world: World,
  { id, node: at, held }: Question,
): { world: World; grant: number | undefined } {
  const node = world.nodes[at]!;
  if (!node.isAlive) return { world, grant: undefined };
  const isLenient = trap === 'grant to a guard below what was confirmed';
  const lease = leaseOf(size, isLenient ? { ...node, lease: { ...node.lease, highestSent: seq(0) } } : node);
  const answer = lease.grant(String(id), seq(held), NOW);
  if (!('grantMs' in answer)) return { world, grant: undefined };
  const isRecorded = trap !== 'grant recorded after it is answered';
  const next = {
    ...node,
    lease: {
      ...snapshotOf(lease),
      highestSent: node.lease.highestSent,
      ...(isRecorded ? {} : { grants: node.lease.grants }),
    },
  };
  const lateQuestions = isRecorded ? world.lateQuestions : [...world.lateQuestions, { guard: 0, id, node: at, held }];
  return {
    world: {
      ...world,
      nodes: replaced(world.nodes, at, next),
      lateQuestions: isRecorded ? world.lateQuestions : lateQuestions,
    },
    grant: answer.grantMs,
  };
}

// ── Whoever ordered a rule ────────────────────────────────────────────────────────────────────────────────────────────

function waiterMoves(protocol: Protocol, world: World, waiter: Waiter, at: number, say: Emit): void {
  const { trap } = protocol;
  const put = (next: Waiter, from: World = world): World => ({ ...from, waiters: replaced(from.waiters, at, next) });
  const name = `waiter ${at}`;
  if (waiter.stage === 'answered') return;
  if (waiter.stage === 'idle') {
    // Waiters are alike: the first orders first.
    if (world.waiters.some(({ stage }, other) => other < at && stage === 'idle')) return;
    const head = world.memory.head + 1;
    const tables = { ...world.memory, head };
    const needed = trap === 'rows read before the commit was heard' ? waiter.needed : undefined;
    const stage = trap === 'retry that answers at once' ? 'answered' : 'waiting';
    if (trap !== 'rows read before the commit was heard' || needed) {
      const over = needed?.length === 0;
      say(
        `${name}: its rule ${head} is committed`,
        put(
          { ...waiter, stage: over ? 'answered' : stage, seq: head, needed },
          { ...world, memory: tables, disk: tables },
        ),
      );
    } else {
      const rows = world.memory.rows.filter(({ confirmed }) => confirmed < head).map(({ id }) => id);
      say(`${name} reads the rows before its rule is committed`, put({ ...waiter, needed: rows }));
    }
    return;
  }
  if (trap === 'waiter’s clock started before the reply' && waiter.readSent === undefined) {
    say(`${name} sends its read`, put({ ...waiter, readSent: 0 }));
    return;
  }
  const seen = seenOf(waiter, protocol.size);
  const rows = rowsOf(world.memory, protocol.size);
  if (trap === 'waiter’s clock not started again at a new counter') {
    for (const [id, { since }] of seen)
      if (rows.has(id)) seen.set(id, { counter: rows.get(id)!.counter, since, leaseMs: protocol.size.lease });
  }
  // An acknowledgement that is heard says of one row what a read would have said, at the moment of it or later.
  for (const row of rows.values()) {
    const wait = waitOf(waiter);
    hear(wait, row);
    if (wait.needed === undefined || wait.needed.size === waiter.needed!.length) continue;
    const needed = isOver(wait) ? undefined : [...wait.needed].map(Number).sort((a, b) => a - b);
    say(
      `${name} hears row ${row.id} acknowledge`,
      put({ ...waiter, stage: isOver(wait) ? 'answered' : 'waiting', needed, seen: isOver(wait) ? [] : waiter.seen }),
    );
  }
  const stale = observe(seen, rows, waiter.readSent ?? 0);
  const wait = waitOf(waiter);
  judge(wait, rows);
  const after: Waiter = {
    ...waiter,
    stage: isOver(wait) ? 'answered' : 'waiting',
    needed: isOver(wait) ? undefined : [...wait.needed!].map(Number).sort((a, b) => a - b),
    // The clocks of rows that nobody waits for matter to the waits of others.
    seen: isOver(wait)
      ? []
      : fromSeen(seen).filter(({ id }) => protocol.size.rules > 1 || wait.needed!.has(String(id))),
    readSent: undefined,
  };
  say(`${name} reads the rows`, put(after));
  for (const { id, counter } of isOver(wait) ? [] : stale) {
    const reap: Statement = { what: 'reap', id: Number(id), counter: Number(counter) };
    say(`${name} finds row ${id} stale and deletes it`, put(after, execute(protocol, world, reap).world));
    if (world.late.length < protocol.size.late)
      say(`${name} finds row ${id} stale; its deletion is late`, put(after, { ...world, late: [...world.late, reap] }));
  }
}

// ── The promise ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whoever's clock says it holds a lease has applied every rule that was answered. Says who has not. */
export function broken({ size, trap }: Protocol, world: World): string | undefined {
  const answered = Math.max(0, ...world.waiters.map(({ stage, seq: ordered }) => (stage === 'answered' ? ordered : 0)));
  if (answered === 0) return undefined;
  for (const [at, node] of world.nodes.entries()) {
    if (!node.isAlive) continue;
    const mayAnswer =
      (trap === 'lease as a flag that a timer clears' && node.flag) || leaseOf(size, node).mayAnswer(NOW);
    if (mayAnswer && Math.min(Number(node.lease.held), node.decided ?? Infinity) < answered)
      return `node ${at} answers without rule ${answered}`;
  }
  for (const [at, guard] of world.guards.entries()) {
    if (guard.remaining > 0 && guard.held < answered) return `guard ${at} answers without rule ${answered}`;
  }
  return undefined;
}

const seq = (value: number): Seq => BigInt(value) as Seq;
const replaced = <T>(all: readonly T[], at: number, one: T): readonly T[] =>
  all.map((other, index) => (index === at ? one : other));
const without = <T>(all: readonly T[], at: number): readonly T[] => all.filter((_, index) => index !== at);
