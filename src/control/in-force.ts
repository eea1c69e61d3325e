import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../contracts/index.js';
import type { NodeRow, NodeRows } from './node-rows.pg.js';
import type { Seq } from './records.js';

/** What was confirmed when an order was answered. */
export interface Confirmed {
  /** Nodes that have applied it. */
  readonly nodes: number;
  /** Guards that those nodes vouch for. */
  readonly guards: number;
  /** Nodes that vanished and were waited for until their leases had ended. */
  readonly expired: number;
}

export interface InForce {
  /** Resolves when no node and no guard answers *active* against the record any more; `not-confirmed` when it cannot tell in time. */
  wait(seq: Seq): Promise<Confirmed>;
  /** A node has said something: read its row now. */
  wake(): void;
  stop(): Promise<void>;
}

export interface InForceOptions {
  readonly rows: Pick<NodeRows, 'read' | 'reap'>;
  readonly leaseMs: number;
  /** How long a wait may last before its order is answered 503; a retry waits again. */
  readonly timeoutMs: number;
  /** Rows are read so often without being woken, also to reap when nobody waits. */
  readonly cycleMs: number;
  readonly onError: (error: unknown) => void;
  /** Milliseconds on a clock that only goes forward. */
  readonly monotonic?: () => number;
}

interface Wait {
  readonly seq: Seq;
  readonly deadline: number;
  readonly resolve: (confirmed: Confirmed) => void;
  readonly reject: (error: unknown) => void;
  /** Rows of the first read that had not confirmed; undefined before that read. */
  needed: Map<string, NodeRow> | undefined;
  nodes: number;
  guards: number;
  expired: number;
}

/** The waiting side of the lease protocol: all waits of a process share the reads of the rows. */
export function createInForce(options: InForceOptions): InForce {
  const { rows, leaseMs, timeoutMs, cycleMs, onError, monotonic = () => performance.now() } = options;
  const seenCounters = new Map<string, { readonly counter: bigint; readonly since: number }>();
  let waits: Wait[] = [];
  let stopping = false;
  let wakened = false;
  let wake: () => void = () => {};
  const running = loop();

  /** A wait counts from a read that begins after it was asked for, so that its record's commit is in every row's past. */
  async function readRows(): Promise<void> {
    const asking = [...waits];
    const found = await rows.read();
    const now = monotonic();
    const byId = new Map(found.map((row) => [row.id, row]));
    for (const wait of asking) judge(wait, byId);
    waits = waits.filter((wait) => !isDone(wait));
    await reapStale(found, now);
    expire();
  }

  function judge(wait: Wait, byId: ReadonlyMap<string, NodeRow>): void {
    if (wait.needed === undefined) {
      wait.needed = new Map();
      for (const row of byId.values()) {
        if (row.confirmed >= wait.seq) countConfirmed(wait, row);
        else wait.needed.set(row.id, row);
      }
    } else {
      for (const id of wait.needed.keys()) {
        const row = byId.get(id);
        if (row && row.confirmed < wait.seq) continue;
        wait.needed.delete(id);
        if (row) countConfirmed(wait, row);
        else wait.expired += 1;
      }
    }
    if (isDone(wait)) wait.resolve({ nodes: wait.nodes, guards: wait.guards, expired: wait.expired });
  }

  function countConfirmed(wait: Wait, row: NodeRow): void {
    wait.nodes += 1;
    wait.guards += row.guards;
  }

  /** The clock of a counter starts after the reply that first showed it, and again at every new one. */
  async function reapStale(found: readonly NodeRow[], now: number): Promise<void> {
    for (const id of seenCounters.keys()) if (!found.some((row) => row.id === id)) seenCounters.delete(id);
    for (const { id, counter } of found) {
      const seen = seenCounters.get(id);
      if (seen?.counter !== counter) seenCounters.set(id, { counter, since: now });
      else if (now - seen.since >= leaseMs && (await rows.reap(id, counter))) seenCounters.delete(id);
    }
  }

  function expire(): void {
    const now = monotonic();
    for (const wait of waits) if (now >= wait.deadline) wait.reject(new RescindError('not-confirmed'));
    waits = waits.filter((wait) => now < wait.deadline);
  }

  async function loop(): Promise<void> {
    while (!isStopping()) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      wakened = false;
      try {
        await readRows();
      } catch (error) {
        onError(error);
        expire();
      }
      if (!wakened) await Promise.race([woken, delay(nextReadMs(), undefined, { ref: false })]);
    }
    for (const { reject } of waits) reject(new RescindError('not-confirmed'));
    waits = [];
  }

  const isStopping = (): boolean => stopping;

  /** Sooner than a cycle where a row is about to become stale that somebody waits for. */
  function nextReadMs(): number {
    if (waits.length === 0) return cycleMs;
    const now = monotonic();
    const dueMs = [...seenCounters.values()].map(({ since }) => since + leaseMs - now).filter((ms) => ms > 0);
    return Math.min(cycleMs, ...dueMs.map((ms) => ms + 1));
  }

  function wakeUp(): void {
    wakened = true;
    wake();
  }

  return {
    wait: (seq) =>
      new Promise((resolve, reject) => {
        waits.push({ seq, deadline: monotonic() + timeoutMs, resolve, reject, needed: undefined, nodes: 0, guards: 0, expired: 0 });
        wakeUp();
      }),
    wake: wakeUp,
    async stop() {
      stopping = true;
      wakeUp();
      await running;
    },
  };
}

const isDone = (wait: Wait): boolean => wait.needed !== undefined && wait.needed.size === 0;
