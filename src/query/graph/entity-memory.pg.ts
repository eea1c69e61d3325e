import { LRUCache } from 'lru-cache';
import { RescindError } from '../../contracts/index.js';
import type { Snapshot } from '../ask/snapshot.pg.js';

const ENTITIES = {
  name: 'graph-entities',
  text: `SELECT e.id, e.parts, e.from_ix, n.arrival FROM entity e JOIN entry n ON n.tenant = $1 AND n.ix = e.from_ix
    WHERE e.tenant = $1 AND e.id = ANY ($2::int[])`,
};

/** Entities that a process remembers, over all tenants: about 300 bytes each. */
const MAX_REMEMBERED = 50_000;

/** An entity's names, and the first event that named it. Neither ever changes. */
export interface KnownEntity {
  readonly parts: readonly (string | null)[];
  readonly firstSeen: { readonly index: string; readonly at: number };
}

export type EntitiesOf = (snapshot: Snapshot, ids: Iterable<number>) => Promise<(id: number) => KnownEntity>;

export function createEntityMemory(): EntitiesOf {
  const remembered = new LRUCache<string, KnownEntity>({ max: MAX_REMEMBERED });
  return async (snapshot, ids) => {
    const prefix = `${snapshot.tenant} ${snapshot.tables} `;
    const found = new Map<number, KnownEntity>();
    const unknown: number[] = [];
    for (const id of new Set(ids)) {
      const known = remembered.get(prefix + id);
      if (known) found.set(id, known);
      else unknown.push(id);
    }
    const rows = unknown.length === 0 ? [] : await snapshot.rows<EntityRow>(ENTITIES, [unknown]);
    for (const { id, parts, from_ix, arrival } of rows) {
      const entity = { parts, firstSeen: { index: from_ix, at: Math.floor(Number(arrival) / 1000) } };
      found.set(id, entity);
      remembered.set(prefix + id, entity);
    }
    return (id) => {
      const entity = found.get(id);
      if (!entity)
        throw new RescindError('internal', {
          cause: new Error(`a projection names entity ${id}, which does not exist`),
        });
      return entity;
    };
  };
}

interface EntityRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly parts: readonly (string | null)[];
  readonly from_ix: string;
  readonly arrival: string;
}
