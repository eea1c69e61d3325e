import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../../contracts/index.js';
import type { NodeRows } from './node-rows.pg.js';
import type { Seq } from '../log/records.js';
import {
  observe,
  rowConfirmed,
  type Acknowledgement,
  type Confirmed,
  type NodeRow,
  type SeenCounter,
} from '../../lease/index.js';
import { createWaits, type OpenWait, type Settled } from './waits.js';

export interface InForce {
  /**
   * Resolves when no node and no guard answers *active* against the record any more; rejects with `not-confirmed` if it cannot
   * tell in time. If the record's tenant is given, guards of other tenants are not waited for: the record does not concern them.
   */
  wait(seq: Seq, tenant?: string): Promise<Confirmed>;
  /** Waits in the same way, and tells of each node that confirms or expires. `onSettled` is not called: it belongs to the order's own wait. */
  watch(seq: Seq, tenant: string, onSettling: (settled: Settled) => void): Promise<Confirmed>;
  /**
   * Reads the seq up to which every record of the tenant committed before the call is in force; `head` if there is no node. The
   * answers for a tenant never fall.
   */
  upTo(head: Seq, tenant: string): Promise<Seq>;
  /** Takes an acknowledgement of a node. */
  heard(said: Acknowledgement): void;
  /** Reads the rows at once if there is a wait; called when a node has left. */
  wake(): void;
  /** The numbers of rows and of guards in the last read; undefined before the first read. */
  readonly parties: Parties | undefined;
  /** Stops reading. Open waits reject with `not-confirmed`. */
  stop(): Promise<void>;
}

/** Those who must confirm a rule. */
export interface Parties {
  readonly nodes: number;
  readonly guards: number;
}

export interface InForceOptions {
  readonly rows: Pick<NodeRows, 'read' | 'reap'>;
  /** How long a wait may last, milliseconds. Then its order is answered 503; a retry waits again. */
  readonly timeoutMs: number;
  /** How often the rows are read when nothing wakes the loop. They are read without a wait too, in order to reap. */
  readonly cycleMs: number;
  readonly onError: (error: unknown) => void;
  /** Called when a wait is over, with each node that settled it and the time when that was heard. */
  readonly onSettled?: ((seq: Seq, settled: readonly Settled[]) => void) | undefined;
}

/**
 * Runs the waiting side of the lease protocol. All waits of a process share the reads of the rows, and each round also deletes
 * stale rows on behalf of every process. Only the monotonic clock is used: a wall clock that somebody sets ahead would end a wait
 * while a lease still runs.
 */
export function createInForce({ rows, timeoutMs, cycleMs, onError, onSettled }: InForceOptions): InForce {
  const seen = new Map<string, SeenCounter>();
  const waits = createWaits({ timeoutMs, onOver });
  const known = new Map<string, Seq>();
  let parties: Parties | undefined;
  let stopping = false;
  let isWoken = false;
  /** When the last round began. */
  let begunAt = -Infinity;
  let wake: () => void = () => undefined;

  async function round(): Promise<void> {
    // Waits that arrive while the read runs are judged by the next read.
    const asking = waits.open();
    begunAt = performance.now();
    const found = new Map((await rows.read()).map((row) => [row.id, row]));
    parties = { nodes: found.size, guards: [...found.values()].reduce((sum, { guards }) => sum + guards, 0) };
    const now = performance.now();
    waits.judge(asking, found);
    await reap(observe(seen, found, now));
  }

  function onOver({ seq, tenant, settled, onSettling }: OpenWait): void {
    if (tenant !== undefined) learn(seq, tenant);
    if (onSettling === undefined) onSettled?.(seq, settled);
  }

  function add(seq: Seq, tenant?: string, onSettling?: (settled: Settled) => void): Promise<Confirmed> {
    if (stopping) return Promise.reject(new RescindError('not-confirmed'));
    const confirmed = waits.add(seq, tenant, onSettling);
    wakeUp();
    return confirmed;
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
      // A wait ends only when a read shows that the row is gone, so the next read follows at once.
      isWoken = true;
    }
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
      waits.giveUp();
      if (!isWoken && !isStopping()) await idle(woken);
    }
    waits.close();
  }

  async function idle(woken: Promise<void>): Promise<void> {
    const abort = new AbortController();
    await Promise.race([
      woken,
      delay(nextRoundMs(), undefined, { ref: false, signal: abort.signal }).catch(() => undefined),
    ]);
    abort.abort();
  }

  const isStopping = (): boolean => stopping;

  /**
   * Time until the next round: a cycle, or less if a row becomes stale sooner, or became stale after the last round began (that
   * round may have missed it).
   */
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
    wait: (seq, tenant) => add(seq, tenant),
    watch: add,
    async upTo(head, tenant) {
      const confirmed = (await rows.read()).map((row) => rowConfirmed(row, tenant));
      return learn(
        confirmed.reduce((least, seq) => (seq < least ? seq : least), head),
        tenant,
      );
    },
    heard: waits.heard,
    wake() {
      if (waits.open().length > 0) wakeUp();
    },
    get parties() {
      return parties;
    },
    async stop() {
      stopping = true;
      wakeUp();
      await running;
    },
  };
}
