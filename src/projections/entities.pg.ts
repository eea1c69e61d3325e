import { LRUCache } from 'lru-cache';
import type { PoolClient } from 'pg';
import { byteaArray, int2Array, int8Array, jsonbArray, loadSql, uuidArray } from '../platform/postgres/index.js';
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
  /** Before anything else: what the session remembers is of the table `entity` that was there then. */
  begin(client: PoolClient): Promise<void>;
  want(owner: Owner, kind: EntityKind, parts: Parts): EntityRef;
  /** Whether the session has met the entity, so that it is there. */
  remembers(owner: Owner, kind: EntityKind, parts: Parts): boolean;
  /** One statement: finds ids, and gives new ones under the lock of the tenant's ledger head. */
  resolve(client: PoolClient): Promise<void>;
  id(ref: EntityRef): number;
}

/** Stands for an entity until the batch is resolved. */
export interface EntityRef {
  readonly name: string;
  /** Of those that name it in the batch, the one with the lowest index. */
  owner: Owner;
  readonly kind: EntityKind;
  readonly parts: Parts;
  id: number | undefined;
}

/** Names that a session remembers the ids of: most of a batch's are those of the batch before. */
const MAX_REMEMBERED_IDS = 50_000;

interface Memory {
  /** The table that was read. */
  readonly directory: number;
  readonly ids: LRUCache<string, number>;
}

/**
 * Ids by name, of entities that were committed when the session read them; an id never changes while the table stands. A session ends
 * when its database is restored or replaced, and what it remembered goes with it; a rebuild that switches the table makes it forget.
 */
const remembered = new WeakMap<PoolClient, Memory>();

const RESOLVE = loadSql(import.meta.url, 'resolve-entities.sql');
const FIND_DIRECTORY = "SELECT 'entity'::regclass::oid AS directory";

/** The id of each, in any order; `known`: it was committed before. */
export type FindIds = (client: PoolClient, unknown: readonly EntityRef[]) => Promise<readonly FoundId[]>;

export interface FoundId {
  /** Counted from 1. */
  readonly nth: string;
  readonly id: number;
  readonly known: boolean;
}

/** Finds what is there and numbers what is not, under the lock of the ledger heads. */
const findOrNumber: FindIds = async (client, unknown) => (await client.query<FoundId>(RESOLVE, entityColumns(unknown))).rows;

export const entityColumns = (refs: readonly EntityRef[]): Buffer[] => [
  uuidArray(refs.map(({ owner }) => owner.tenant)),
  int2Array(refs.map(({ kind }) => ENTITY_KINDS[kind])),
  byteaArray(refs.map(({ owner, kind, parts }) => ruleKeyToBytes(ruleKey(owner.tenantKey, kind, parts)))),
  jsonbArray(refs.map(({ parts }) => JSON.stringify(parts))),
  int8Array(refs.map(({ owner }) => owner.ix)),
];

export function createEntityBatch(find: FindIds = findOrNumber): EntityBatch {
  const wanted: EntityRef[] = [];
  /** By tenant and kind, then by what it is called there: most of what a batch names it has named before. */
  const named = new Map<string, Map<string, EntityRef>[]>();
  let ids: LRUCache<string, number>;

  return {
    async begin(client) {
      const directory = (await client.query<{ directory: number }>(FIND_DIRECTORY)).rows[0]!.directory;
      let memory = remembered.get(client);
      if (memory?.directory !== directory) remembered.set(client, (memory = { directory, ids: new LRUCache({ max: MAX_REMEMBERED_IDS }) }));
      ids = memory.ids;
    },
    want(owner, kind, parts) {
      let kinds = named.get(owner.tenant);
      if (kinds === undefined) named.set(owner.tenant, (kinds = []));
      const refs = (kinds[ENTITY_KINDS[kind]] ??= new Map());
      const own = ownName(parts);
      let ref = refs.get(own);
      if (ref === undefined) {
        ref = { name: nameOf(owner.tenant, kind, parts), owner, kind, parts, id: undefined };
        refs.set(own, ref);
        wanted.push(ref);
      }
      // It is there from the first event on that names it, whichever projection asks first.
      else if (owner.ix < ref.owner.ix) ref.owner = owner;
      return ref;
    },
    remembers: (owner, kind, parts) => ids.has(nameOf(owner.tenant, kind, parts)),
    async resolve(client) {
      const unknown: EntityRef[] = [];
      for (const ref of wanted) {
        ref.id = ids.get(ref.name);
        if (ref.id === undefined) unknown.push(ref);
      }
      if (unknown.length === 0) return;
      for (const { nth, id, known } of await find(client, unknown)) {
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

const nameOf = (tenant: string, kind: EntityKind, parts: Parts): string => `${tenant}${kind}\0${ownName(parts)}`;

/** No part holds a NUL: `accept()` refuses it. */
function ownName(parts: Parts): string {
  const [first] = parts;
  if (parts.length === 1 && typeof first === 'string') return first;
  let name = '';
  for (const part of parts) name += part === null ? '\0-' : `\0+${part}`;
  return name;
}
