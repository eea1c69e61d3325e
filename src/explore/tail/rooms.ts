import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine/engine.js';
import { makeScratch } from './scratch.js';

/** Databases that the engine keeps; beyond it the one that was asked longest ago is closed. */
const MAX_ROOMS = 3;

/** A database of the engine: one tenant's, of one generation of its tables. */
export interface Room {
  readonly tenant: string;
  readonly name: string;
  readonly incarnation: number;
  readonly scratch: string;
  /** The tail has the uses from here on, and the facts that became known from here on. */
  base: bigint;
  /** … up to here, exclusive. */
  head: bigint;
  uses: number;
}

export interface RoomsOptions {
  readonly engine: Engine;
  /** The one directory of the archive that a tenant's questions read. */
  readonly directoryOf: (tenant: string) => string;
  /** Files for the engine are written below this directory, and removed when they are read. */
  readonly home: string;
}

export interface Rooms {
  /** The tenant's room of this key, whose tail begins at or below `end`; opens one if there is none. */
  take(key: string, tenant: string, end: bigint): Promise<Room>;
  stop(): Promise<void>;
}

/** Keeps the engine's databases. A tenant whose question is under way (`isVisited`) keeps its rooms. */
export function createRooms(
  { engine, directoryOf, home }: RoomsOptions,
  isVisited: (tenant: string) => boolean,
): Rooms {
  /** The one that was asked last at the end. */
  const rooms = new Map<string, Room>();
  let scratch: Promise<string> | undefined;
  let opened = 0;

  async function open(key: string, tenant: string, end: bigint): Promise<Room> {
    scratch ??= makeScratch(home);
    const name = `room-${(opened += 1)}`;
    const own = join(await scratch, name);
    await mkdir(own, { mode: 0o700 });
    await engine.open(name, [directoryOf(tenant), own]);
    const room = { tenant, name, incarnation: engine.incarnation, scratch: own, base: end, head: end, uses: 0 };
    rooms.set(key, room);
    await closeOldest();
    return room;
  }

  async function closeOldest(): Promise<void> {
    for (const [key, { tenant, name, incarnation }] of rooms) {
      if (rooms.size <= MAX_ROOMS) return;
      if (isVisited(tenant)) continue;
      rooms.delete(key);
      if (incarnation === engine.incarnation) await engine.close(name);
    }
  }

  const hasEnded = ({ incarnation }: Room): boolean => incarnation !== engine.incarnation || engine.pid === undefined;

  return {
    async take(key, tenant, end) {
      const room = rooms.get(key);
      rooms.delete(key);
      if (room === undefined || hasEnded(room) || room.base > end) return open(key, tenant, end);
      rooms.set(key, room);
      return room;
    },
    async stop() {
      if (scratch !== undefined) await rm(await scratch, { recursive: true, force: true });
    },
  };
}
