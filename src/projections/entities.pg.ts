import { LRUCache } from 'lru-cache';
import type { PoolClient } from 'pg';
import { loadSql } from '../platform/index.js';
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

interface Wanted {
  readonly tenant: string;
  readonly kind: number;
  readonly key: Buffer;
  readonly parts: string;
  readonly ix: bigint;
}

/** Collects what a batch names, in one go, then answers with the small ids. */
export interface EntityBatch {
  want(owner: { readonly tenant: string; readonly tenantKey: Uint8Array; readonly ix: bigint }, kind: EntityKind, parts: Parts): EntityRef;
  /** One statement: finds ids, and gives new ones under the lock of the tenant's ledger head. */
  resolve(client: PoolClient): Promise<void>;
  id(ref: EntityRef): number;
}

/** Stands for an entity until the batch is resolved. */
export type EntityRef = string & { readonly __brand: 'EntityRef' };

/** Names whose keys are remembered: most of a batch's are those of the batch before. */
const MAX_REMEMBERED_KEYS = 50_000;

interface Keyed {
  readonly key: Buffer;
  readonly ref: EntityRef;
}

const remembered = new LRUCache<string, Keyed>({ max: MAX_REMEMBERED_KEYS });

function keyOf(tenant: string, tenantKey: Uint8Array, kind: EntityKind, parts: Parts, name: string): Keyed {
  let keyed = remembered.get(name);
  if (!keyed) {
    const key = ruleKeyToBytes(ruleKey(tenantKey, kind, parts));
    keyed = { key, ref: `${tenant}|${ENTITY_KINDS[kind]}|${key.toString('hex')}` as EntityRef };
    remembered.set(name, keyed);
  }
  return keyed;
}

const RESOLVE = loadSql(import.meta.url, 'resolve-entities.sql');

export function createEntityBatch(): EntityBatch {
  const wanted = new Map<EntityRef, Wanted>();
  const refs = new Map<string, EntityRef>();
  const ids = new Map<string, number>();

  return {
    want(owner, kind, parts) {
      const text = JSON.stringify(parts);
      const name = `${owner.tenant}|${kind}|${text}`;
      const known = refs.get(name);
      if (known !== undefined) return known;
      const { key, ref } = keyOf(owner.tenant, owner.tenantKey, kind, parts, name);
      refs.set(name, ref);
      wanted.set(ref, { tenant: owner.tenant, kind: ENTITY_KINDS[kind], key, parts: text, ix: owner.ix });
      return ref;
    },
    async resolve(client) {
      const all = [...wanted.values()];
      if (all.length === 0) return;
      const { rows } = await client.query<{ tenant: string; kind: number; key: Buffer; id: number }>({
        name: 'resolve-entities',
        text: RESOLVE,
        values: [
          all.map((entity) => entity.tenant),
          all.map((entity) => entity.kind),
          all.map((entity) => entity.key),
          all.map((entity) => entity.parts),
          all.map((entity) => String(entity.ix)),
        ],
      });
      for (const row of rows) ids.set(`${row.tenant}|${row.kind}|${row.key.toString('hex')}`, row.id);
    },
    id(ref) {
      const id = ids.get(ref);
      if (id === undefined) throw new Error('an entity was asked for before its batch was resolved');
      return id;
    },
  };
}
