import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../../contracts/index.js';
import type { NodeRows } from './node-rows.pg.js';
import type { Seq } from '../log/records.js';
import { hear, isOver, judge, newWait, observe, rowConfirmed, type Acknowledgement, type Confirmed, type NodeRow, type SeenCounter, type Wait } from '../lease/waiting.js';

export interface InForce {
  /**
   * Resolves when no node and no guard answers *active* against the record any more; `not-confirmed` when it cannot tell in time.
   * With the record's tenant: guards of other tenants, whom it does not concern, are not waited for.
   */
  wait(seq: Seq, tenant?: string): Promise<Confirmed>;
  /** Every record of the tenant up to here that was committed before the call is in force; `head` where no node answers at all. Never runs backwards. */
  upTo(head: Seq, tenant: string): Promise<Seq>;
  /** A node has acknowledged. */
  heard(said: Acknowledgement): void;
  /** A node has left: the rows are worth reading, if anybody waits. */
  wake(): void;
  /** Rows that the last read showed; undefined before the first. */
  readonly nodes: number | undefined;
  /** Waits that are not over reject with `not-confirmed`. */
  stop(): Promise<void>;
}

export interface InForceOptions {
  readonly rows: Pick<NodeRows, 'read' | 'reap'>;
  /** How long a wait may last before its order is answered 503; a retry waits again. */
  readonly timeoutMs: number;
  /** Rows are read so often without being woken, also to reap when nobody waits. */
  readonly cycleMs: number;
  readonly onError: (error: unknown) => void;
  /** When a wait is over: by whom it was settled, and when that was heard. */
  readonly onSettled?: ((seq: Seq, settled: readonly Settled[]) => void) | undefined;
}

/** A node that a wait needed no longer, or never had to: it had confirmed, or it was gone. */
export interface Settled {
  readonly node: string;
  readonly outcome: 'confirmed' | 'expired';
  /** That it vouched for. */
  readonly guards: number;
  /** Epoch milliseconds, for people. */
  readonly atMs: number;
}

interface Waiting extends Wait {
  readonly deadline: number;
  readonly resolve: (confirmed: Confirmed) => void;
  readonly reject: (error: unknown) => void;
  readonly settled: Settled[];
}

/**
 * The waiting side of the lease protocol: all waits of a process share the reads of the rows, and it reaps for everybody.
 * It goes by the monotonic clock alone: one that is set ahead would end a wait while a lease runs.
 */
export function createInForce({ rows, timeoutMs, cycleMs, onError, onSettled }: InForceOptions): InForce {
  const seen = new Map<string, SeenCounter>();
  // The acknowledgement may be heard before the reply to a read that was answered without it.
  const said = new Map<string, Acknowledgement>();
  let waits: Waiting[] = [];
  const known = new Map<string, Seq>();
  let nodes: number | undefined;
  let stopping = false;
  let isWoken = false;
  /** When the last round began. */
  let begunAt = -Infinity;
  let wake: () => void = () => undefined;

  async function round(): Promise<void> {
    // Those that come while the read runs count from the next one.
    const asking = [...waits];
    begunAt = performance.now();
    const found = new Map((await rows.read()).map((row) => [row.id, row]));
    nodes = found.size;
    const now = performance.now();
    for (const id of said.keys()) if (!found.has(id)) said.delete(id);
    for (const wait of asking) {
      note(wait, found, () => {
        judge(wait, found);
        for (const one of said.values()) hear(wait, one);
      });
    }
    settle();
    await reap(observe(seen, found, now));
  }

  /** Keeps whom the wait needed before a read and needs no more; of its first, whoever had confirmed. */
  function note(wait: Waiting, found: ReadonlyMap<string, Acknowledgement>, act: () => void): void {
    const before = wait.needed && [...wait.needed];
    act();
    const atMs = Date.now();
    for (const node of before ?? found.keys()) {
      if (wait.needed === undefined || wait.needed.has(node)) continue;
      const guards = said.get(node)?.guards ?? found.get(node)?.guards;
      wait.settled.push({ node, outcome: guards === undefined ? 'expired' : 'confirmed', guards: guards ?? 0, atMs });
    }
  }

  function settle(): void {
    for (const wait of waits) {
      if (!isOver(wait)) continue;
      if (wait.tenant !== undefined) learn(wait.seq, wait.tenant);
      onSettled?.(wait.seq, wait.settled);
      wait.resolve({ nodes: wait.nodes, guards: wait.guards, expired: wait.expired });
    }
    waits = waits.filter((wait) => !isOver(wait));
  }

  function learn(seq: Seq, tenant: string): Seq {
    const before = known.get(tenant);
    if (before !== undefined && before >= seq) return before;
    known.set(tenant, seq);
    return seq;
  }

  async function reap(stale: readonly NodeRow[]): Promise<void> {
    for (const { id, counter } of stale) {
      if (!(await rows.reap(id, counter))) continue;
      // A wait is over when a read shows that the row has gone.
      isWoken = true;
    }
  }

  function giveUp(): void {
    const now = performance.now();
    for (const { deadline, reject } of waits) if (now >= deadline) reject(new RescindError('not-confirmed'));
    waits = waits.filter(({ deadline }) => now < deadline);
  }

  async function loop(): Promise<void> {
    while (!isStopping()) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      isWoken = false;
      try {
        await round();
      } catch (error) {
        onError(error);
      }
      giveUp();
      if (!isWoken && !isStopping()) await idle(woken);
    }
    for (const { reject } of waits) reject(new RescindError('not-confirmed'));
    waits = [];
  }

  async function idle(woken: Promise<void>): Promise<void> {
    const abort = new AbortController();
    await Promise.race([woken, delay(nextRoundMs(), undefined, { ref: false, signal: abort.signal }).catch(() => undefined)]);
    abort.abort();
  }

  const isStopping = (): boolean => stopping;

  /** Sooner than a cycle where a row is about to become stale, or has since the last round began: that one may not have seen it. */
  function nextRoundMs(): number {
    const now = performance.now();
    const staleAt = [...seen.values()].map(({ since, leaseMs }) => since + leaseMs).filter((at) => at > begunAt);
    return Math.min(cycleMs, ...staleAt.map((at) => Math.max(0, at - now) + 1));
  }

  function wakeUp(): void {
    isWoken = true;
    wake();
  }

  const running = loop();

  return {
    wait(seq, tenant) {
      if (stopping) return Promise.reject(new RescindError('not-confirmed'));
      return new Promise((resolve, reject) => {
        waits.push({ ...newWait(seq, tenant), deadline: performance.now() + timeoutMs, resolve, reject, settled: [] });
        wakeUp();
      });
    },
    async upTo(head, tenant) {
      const confirmed = (await rows.read()).map((row) => rowConfirmed(row, tenant));
      return learn(confirmed.reduce((least, seq) => (seq < least ? seq : least), head), tenant);
    },
    heard(one) {
      // A node says one thing after the other, and what it has said stays true.
      said.set(one.id, one);
      for (const wait of waits) {
        const left = wait.needed?.size;
        hear(wait, one);
        if (wait.needed?.size !== left) wait.settled.push({ node: one.id, outcome: 'confirmed', guards: one.guards, atMs: Date.now() });
      }
      settle();
    },
    wake() {
      if (waits.length > 0) wakeUp();
    },
    get nodes() {
      return nodes;
    },
    async stop() {
      stopping = true;
      wakeUp();
      await running;
    },
  };
}
