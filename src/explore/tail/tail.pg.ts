import type { Snapshot } from '../../projections/index.js';
import { extendTail } from './extend.pg.js';
import { createRooms, type RoomsOptions } from './rooms.js';
import { createVisits } from './visits.js';

/** Uses that the engine keeps of one tenant beside its archive: some 200 bytes each. */
export const MAX_TAIL_USES = 1_000_000;

export interface Ready {
  readonly room: string;
  /** Uses in the tail. */
  readonly uses: number;
}

/** A question's hold on the tail, from before its snapshot until it needs no uses any more. */
export interface TailVisit {
  /** Brings the engine's tail up to the snapshot. `end`: where the archive ends in the snapshot. */
  ready(snapshot: Snapshot, end: bigint): Promise<Ready>;
  leave(): void;
}

export interface Tails {
  /** Begins a question. Until it leaves, no use that it may need is taken out of the tail. */
  enter(tenant: string): TailVisit;
  stop(): Promise<void>;
}

export interface TailsOptions extends RoomsOptions {
  readonly maxUses?: number;
}

/** Keeps the uses that are not archived in the engine. */
export function createTails(options: TailsOptions): Tails {
  const { engine, maxUses = MAX_TAIL_USES } = options;
  const visits = createVisits();
  const rooms = createRooms(options, visits.has);
  const locked = createLocks();

  /** Returns the tenant's room, which covers the snapshot. */
  async function bringUp(key: string, snapshot: Snapshot, end: bigint): Promise<Ready> {
    const lowestEnd = () => visits.lowestEnd(snapshot.tenant);
    const room = await rooms.take(key, snapshot.tenant, end);
    if (snapshot.index > room.head || lowestEnd() > room.base)
      await extendTail(room, snapshot, { engine, maxUses, lowestEnd });
    return { room: room.name, uses: room.uses };
  }

  return {
    enter(tenant) {
      const visit = visits.begin(tenant);
      return {
        async ready(snapshot, end) {
          visit.end = end;
          // Each generation of the tables has a room of its own.
          const key = `${tenant} ${snapshot.tables}`;
          return locked(key, () => bringUp(key, snapshot, end));
        },
        leave: () => visits.end(tenant, visit),
      };
    },
    stop: rooms.stop,
  };
}

/** Returns a function that runs the works of one key one after the other. */
function createLocks() {
  const locks = new Map<string, Promise<unknown>>();
  return async function locked<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = locks.get(key) ?? Promise.resolve();
    const own = before.then(work, work);
    const settled = own.catch(() => undefined);
    locks.set(key, settled);
    try {
      return await own;
    } finally {
      if (locks.get(key) === settled) locks.delete(key);
    }
  };
}
