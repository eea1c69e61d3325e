import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../../projections/index.js';
import type { Engine } from '../engine/engine.js';
import { makeScratch } from './scratch.js';

/** Uses that the engine keeps of one tenant beside its archive: some 200 bytes each. */
export const MAX_TAIL_USES = 1_000_000;
/** Databases that the engine keeps; beyond it the one that was asked longest ago is closed. */
const MAX_ROOMS = 3;
/** Indexes that one statement reads. */
const STEP = 50_000n;

const READ_HEAD = 'SELECT next_ix FROM ledger_head WHERE tenant = $1';
const COUNT_USES =
  'SELECT count(*)::int AS uses FROM (SELECT FROM access WHERE tenant = $1 AND ix >= $2::bigint LIMIT $3::int) u';
/** Cold uses lie in the archive with all that is known of them; the tail has what the archive lacks. */
const NO_COLD = { uses: () => [] };
const READ_USES = { name: 'tail-uses', text: loadSql(import.meta.url, 'read-uses.sql'), ...NO_COLD };
const READ_LATE = { name: 'tail-late', text: loadSql(import.meta.url, 'read-late.sql'), ...NO_COLD };

/** A database of the engine: one tenant's, of one generation of its tables. */
interface Room {
  readonly name: string;
  readonly incarnation: number;
  readonly scratch: string;
  /** The tail has the uses from here on, and the facts that became known from here on. */
  base: bigint;
  /** … up to here, exclusive. */
  head: bigint;
  uses: number;
}

/** A question that is under way. */
interface Visit {
  /** The archive's end, once the question has read it: the question reads the tail from here on. */
  end?: bigint;
}

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

export interface TailsOptions {
  readonly engine: Engine;
  /** The one directory of the archive that a tenant's questions read. */
  readonly directoryOf: (tenant: string) => string;
  /** Files for the engine are written below this directory, and removed when they are read. */
  readonly home: string;
  readonly maxUses?: number;
}

/** Keeps the uses that are not archived in the engine. */
export function createTails({ engine, directoryOf, home, maxUses = MAX_TAIL_USES }: TailsOptions): Tails {
  /** By tenant and generation, the one that was asked last at the end. */
  const rooms = new Map<string, Room>();
  const locks = new Map<string, Promise<unknown>>();
  const visits = new Map<string, Set<Visit>>();
  let scratch: Promise<string> | undefined;
  let opened = 0;

  async function locked<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = locks.get(key) ?? Promise.resolve();
    const own = before.then(work, work);
    const settled = own.catch(() => undefined);
    locks.set(key, settled);
    try {
      return await own;
    } finally {
      if (locks.get(key) === settled) locks.delete(key);
    }
  }

  async function openRoom(key: string, tenant: string, end: bigint): Promise<Room> {
    scratch ??= makeScratch(home);
    const name = `room-${(opened += 1)}`;
    const own = join(await scratch, name);
    await mkdir(own, { mode: 0o700 });
    await engine.open(name, [directoryOf(tenant), own]);
    const room: Room = { name, incarnation: engine.incarnation, scratch: own, base: end, head: end, uses: 0 };
    rooms.set(key, room);
    await closeOldest();
    return room;
  }

  async function closeOldest(): Promise<void> {
    for (const [key, { name, incarnation }] of rooms) {
      if (rooms.size <= MAX_ROOMS) return;
      // A tenant whose question is under way keeps its rooms.
      if (visits.has(key.split(' ', 1)[0]!)) continue;
      rooms.delete(key);
      if (incarnation === engine.incarnation) await engine.close(name);
    }
  }

  /** Extends the room's tail to the head of the snapshot, and takes out what no question needs. */
  async function extend(room: Room, snapshot: Snapshot, tenant: string): Promise<void> {
    const [ledger] = await snapshot.rows<{ next_ix: string }>(READ_HEAD);
    const head = BigInt(ledger?.next_ix ?? 0);
    const lowest = lowestEnd(tenant);
    const trim = lowest > room.base ? lowest : null;
    if (head > room.head) {
      const [count] = await snapshot.rows<{ uses: number }>({ text: COUNT_USES, ...NO_COLD }, [
        String(room.head),
        maxUses + 1,
      ]);
      if (room.uses + count!.uses > maxUses) throw tooMany(maxUses);
      const uses = join(room.scratch, 'uses.csv');
      const late = join(room.scratch, 'late.csv');
      try {
        const hasUses = await writeLines(uses, usesFrom(snapshot, room.head, head));
        const hasLate = await writeLines(late, lateFrom(snapshot, room.head));
        room.uses = await engine.load(room.name, { uses: hasUses ? uses : null, late: hasLate ? late : null, trim });
      } finally {
        await Promise.all([rm(uses, { force: true }), rm(late, { force: true })]);
      }
      room.head = head;
    } else if (trim !== null) room.uses = await engine.load(room.name, { uses: null, late: null, trim });
    if (trim !== null) room.base = trim;
  }

  /** The lowest archive's end of all questions of the tenant that are under way; 0 if one has not read it yet. */
  function lowestEnd(tenant: string): bigint {
    let lowest: bigint | undefined;
    for (const { end } of visits.get(tenant) ?? [])
      if (lowest === undefined || (end ?? 0n) < lowest) lowest = end ?? 0n;
    return lowest ?? 0n;
  }

  async function ready(visit: Visit, snapshot: Snapshot, end: bigint): Promise<Ready> {
    const { tenant } = snapshot;
    const key = `${tenant} ${snapshot.tables}`;
    visit.end = end;
    return locked(key, async () => {
      let room = rooms.get(key);
      // A room of an engine that has ended, or one that begins above the end that this question has read.
      if (
        room !== undefined &&
        (room.incarnation !== engine.incarnation || engine.pid === undefined || room.base > end)
      ) {
        rooms.delete(key);
        room = undefined;
      }
      room ??= await openRoom(key, tenant, end);
      rooms.delete(key);
      rooms.set(key, room);
      // A load is a transaction of the engine: if it fails, the tail is as it was.
      if (snapshot.index > room.head || lowestEnd(tenant) > room.base) await extend(room, snapshot, tenant);
      return { room: room.name, uses: room.uses };
    });
  }

  return {
    enter(tenant) {
      const visit: Visit = {};
      const own = visits.get(tenant) ?? new Set();
      visits.set(tenant, own.add(visit));
      return {
        ready: (snapshot, end) => ready(visit, snapshot, end),
        leave() {
          own.delete(visit);
          if (own.size === 0 && visits.get(tenant) === own) visits.delete(tenant);
        },
      };
    },
    async stop() {
      if (scratch !== undefined) await rm(await scratch, { recursive: true, force: true });
    },
  };
}

const tooMany = (most: number): RescindError =>
  new RescindError('not-archived', {
    detail: `more than ${most.toLocaleString('en')} uses are not archived: run the role \`archive\`, or wait until it has caught up`,
  });

type Lines = AsyncIterable<readonly { readonly lines: string }[]>;

async function* usesFrom(snapshot: Snapshot, from: bigint, head: bigint): Lines {
  for (let first = from; first < head; first += STEP) {
    const end = first + STEP < head ? first + STEP : head;
    yield await snapshot.rows<{ lines: string }>(READ_USES, [String(first), String(end)]);
  }
}

async function* lateFrom(snapshot: Snapshot, from: bigint): Lines {
  yield await snapshot.rows<{ lines: string }>(READ_LATE, [String(from)]);
}

/** Writes lines to a new file; returns whether there were any. */
async function writeLines(path: string, chunks: Lines): Promise<boolean> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  const failed = once(file, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => undefined);
  let any = false;
  for await (const rows of chunks) {
    for (const { lines } of rows) {
      any = true;
      if (!file.write(`${lines}\n`)) await Promise.race([once(file, 'drain'), failed]);
    }
  }
  file.end();
  await Promise.race([once(file, 'close'), failed]);
  return any;
}
