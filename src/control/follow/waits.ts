import { RescindError } from '../../contracts/index.js';
import {
  hear,
  isOver,
  judge,
  newWait,
  type Acknowledgement,
  type Confirmed,
  type NodeRow,
  type Seq,
  type Wait,
} from '../../lease/index.js';

/** A node that a wait does not have to wait for, because the node has confirmed the record or its row is gone. */
export interface Settled {
  readonly node: string;
  readonly outcome: 'confirmed' | 'expired';
  /** Guards that the node vouched for. */
  readonly guards: number;
  /** Epoch milliseconds, for reports. */
  readonly atMs: number;
}

/** A wait that has not ended, with its answer and the nodes that settled it so far. */
export interface OpenWait extends Wait {
  readonly deadline: number;
  readonly resolve: (confirmed: Confirmed) => void;
  readonly reject: (error: unknown) => void;
  readonly settled: Settled[];
  /** Called with each node that settles the wait, as it does. */
  readonly onSettling: ((settled: Settled) => void) | undefined;
}

/** The waits of a process, ended by reads of the rows, by acknowledgements, or by time. */
export interface Waits {
  /** Adds a wait. It rejects with `not-confirmed` if it cannot be ended in time. */
  add(seq: Seq, tenant: string | undefined, onSettling?: OpenWait['onSettling']): Promise<Confirmed>;
  /** The waits that are open now. Only these may be judged by a read that begins now. */
  open(): readonly OpenWait[];
  /** Judges the waits by a read that began after each of them. */
  judge(asking: readonly OpenWait[], found: ReadonlyMap<string, NodeRow>): void;
  /** Takes an acknowledgement of a node. */
  heard(said: Acknowledgement): void;
  /** Rejects the waits whose time is over. */
  giveUp(): void;
  /** Rejects every open wait. */
  close(): void;
}

export interface WaitsOptions {
  readonly timeoutMs: number;
  /** Called when a wait is over, before it is answered. */
  readonly onOver: (wait: OpenWait) => void;
}

export function createWaits({ timeoutMs, onOver }: WaitsOptions): Waits {
  // Acknowledgements are remembered, because one may be heard before the reply to a read that does not contain it.
  const said = new Map<string, Acknowledgement>();
  let waits: OpenWait[] = [];

  /** Runs `act` and records the nodes that it settled: those that the wait stopped needing or, at its first read, those that had confirmed. */
  function note(wait: OpenWait, found: ReadonlyMap<string, Acknowledgement>, act: () => void): void {
    const before = wait.needed && [...wait.needed];
    act();
    const atMs = Date.now();
    for (const node of before ?? found.keys()) {
      if (wait.needed === undefined || wait.needed.has(node)) continue;
      const guards = said.get(node)?.guards ?? found.get(node)?.guards;
      addSettled(wait, { node, outcome: guards === undefined ? 'expired' : 'confirmed', guards: guards ?? 0, atMs });
    }
  }

  function addSettled(wait: OpenWait, settled: Settled): void {
    wait.settled.push(settled);
    wait.onSettling?.(settled);
  }

  function settle(): void {
    for (const wait of waits) {
      if (!isOver(wait)) continue;
      onOver(wait);
      wait.resolve({ nodes: wait.nodes, guards: wait.guards, expired: wait.expired });
    }
    waits = waits.filter((wait) => !isOver(wait));
  }

  return {
    add: (seq, tenant, onSettling) =>
      new Promise((resolve, reject) => {
        const deadline = performance.now() + timeoutMs;
        waits.push({ ...newWait(seq, tenant), deadline, resolve, reject, settled: [], onSettling });
      }),
    open: () => [...waits],
    judge(asking, found) {
      for (const id of said.keys()) if (!found.has(id)) said.delete(id);
      for (const wait of asking) {
        note(wait, found, () => {
          judge(wait, found);
          for (const one of said.values()) hear(wait, one);
        });
      }
      settle();
    },
    heard(one) {
      // The acknowledgements of one node arrive in order, and each stays true.
      said.set(one.id, one);
      for (const wait of waits) {
        const left = wait.needed?.size;
        hear(wait, one);
        if (wait.needed?.size !== left)
          addSettled(wait, { node: one.id, outcome: 'confirmed', guards: one.guards, atMs: Date.now() });
      }
      settle();
    },
    giveUp() {
      const now = performance.now();
      for (const { deadline, reject } of waits) if (now >= deadline) reject(new RescindError('not-confirmed'));
      waits = waits.filter(({ deadline }) => now < deadline);
    },
    close() {
      for (const { reject } of waits) reject(new RescindError('not-confirmed'));
      waits = [];
    },
  };
}
