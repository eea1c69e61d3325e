import { LRUCache } from 'lru-cache';
import type { PoolClient } from 'pg';
import { byteaArray, int2Array, int8Array, jsonbArray, loadSql, uuidArray } from '../platform/index.js';
import { ruleKey, ruleKeyToBytes, type Parts } from '../rules/index.js';

/** What has a small id. The numbers are stored: never change one. */
export const ENTITY_KINDS = {
  user: 1,
  client: 2,
  agent: 3,
  agent_type: 4,
  resource: 5,
  issuer: 6,
  route: 7,
  address: 8,
  scope: 9,
} as const;

export type EntityKind = keyof typeof ENTITY_KINDS;

type Owner = { readonly tenant: string; readonly tenantKey: Uint8Array; readonly ix: bigint };

/** Collects what a batch names, in one go, then answers with the small ids. */
export interface EntityBatch {
  want(owner: Owner, kind: EntityKind, parts: Parts): EntityRef;
  /** Whether the session has met the entity, so that it is there. */
  remembers(client: PoolClient, owner: Owner, kind: EntityKind, parts: Parts): boolean;
  /** One statement: finds ids, and gives new ones under the lock of the tenant's ledger head. */
  resolve(client: PoolClient): Promise<void>;
  id(ref: EntityRef): number;
}

/** Stands for an entity until the batch is resolved. */
export interface EntityRef {
  readonly name: string;
  owner: Owner;
  readonly kind: EntityKind;
  readonly parts: Parts;
  id: number | undefined;
}

/** Names that a session remembers the ids of: most of a batch's are those of the batch before. */
const MAX_REMEMBERED_IDS = 50_000;

/**
 * Ids by name, of entities that were committed when the session read them; an id never changes. A session ends when its database is
 * restored or replaced, and what it remembered goes with it.
 */
const remembered = new WeakMap<PoolClient, LRUCache<string, number>>();

function idsOf(client: PoolClient): LRUCache<string, number> {
  let ids = remembered.get(client);
  if (!ids) remembered.set(client, (ids = new LRUCache({ max: MAX_REMEMBERED_IDS })));
  return ids;
}

const RESOLVE = loadSql(import.meta.url, 'resolve-entities.sql');

export function createEntityBatch(): EntityBatch {
  const wanted = new Map<string, EntityRef>();

  return {
    want(owner, kind, parts) {
      const name = nameOf(owner.tenant, kind, parts);
      let ref = wanted.get(name);
      if (ref === undefined) wanted.set(name, (ref = { name, owner, kind, parts, id: undefined }));
      // It is there from the first event on that names it, whichever projection asks first.
      else if (owner.ix < ref.owner.ix) ref.owner = owner;
      return ref;
    },
    remembers: (client, owner, kind, parts) => idsOf(client).has(nameOf(owner.tenant, kind, parts)),
    async resolve(client) {
      const ids = idsOf(client);
      const unknown: EntityRef[] = [];
      for (const ref of wanted.values()) {
        ref.id = ids.get(ref.name);
        if (ref.id === undefined) unknown.push(ref);
      }
      if (unknown.length === 0) return;
      const { rows } = await client.query<{ nth: string; id: number; known: boolean }>(RESOLVE, [
        uuidArray(unknown.map(({ owner }) => owner.tenant)),
        int2Array(unknown.map(({ kind }) => ENTITY_KINDS[kind])),
        byteaArray(unknown.map(({ owner, kind, parts }) => ruleKeyToBytes(ruleKey(owner.tenantKey, kind, parts)))),
        jsonbArray(unknown.map(({ parts }) => JSON.stringify(parts))),
        int8Array(unknown.map(({ owner }) => owner.ix)),
      ]);
      for (const { nth, id, known } of rows) {
        const ref = unknown[Number(nth) - 1]!;
        ref.id = id;
        // A new one is remembered when it is met again: this transaction may yet be rolled back.
        if (known) ids.set(ref.name, id);
      }
    },
    id({ id }) {
      if (id === undefined) throw new Error('an entity was asked for before its batch was resolved');
      return id;
    },
  };
}

/** No part holds a NUL: `accept()` refuses it. */
function nameOf(tenant: string, kind: EntityKind, parts: Parts): string {
  let name = `${tenant}${kind}`;
  for (const part of parts) name += part === null ? '\0-' : `\0+${part}`;
  return name;
}
