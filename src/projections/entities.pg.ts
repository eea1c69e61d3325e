import { LRUCache } from 'lru-cache';
import type { PoolClient } from 'pg';
import { byteaArray, int2Array, int8Array, jsonbArray, loadSql, uuidArray } from '../platform/postgres/index.js';
import {
  DIMENSIONS,
  ERASED_PREFIX,
  plainUser,
  ruleKey,
  ruleKeyToBytes,
  type Dimension,
  type Parts,
} from '../rules/index.js';

/** Kinds of entities that have a small id. The numbers are stored: never change one. */
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

/** Dimensions of rules whose stated names are entities. An issuer is known by the names that it gives. */
export const ENTITY_DIMENSIONS = DIMENSIONS.filter(
  (dimension): dimension is Dimension & EntityKind => dimension !== 'issuer' && Object.hasOwn(ENTITY_KINDS, dimension),
);

type Owner = { readonly tenant: string; readonly tenantKey: Uint8Array; readonly ix: bigint };

/** Collects the entities that a batch names, finds their small ids in one statement, then returns each id. */
export interface EntityBatch {
  /** Call it first: it drops the ids that the session cached from another `entity` table. */
  begin(client: PoolClient): Promise<void>;
  want(owner: Owner, kind: EntityKind, parts: Parts): EntityRef;
  /** Says whether the session has cached the entity's id, so that the entity exists. */
  remembers(owner: Owner, kind: EntityKind, parts: Parts): boolean;
  /** Finds all ids in one statement, and gives new ones under the lock of the tenant's ledger head. */
  resolve(client: PoolClient): Promise<void>;
  id(ref: EntityRef): number;
}

/** Stands for an entity until the batch is resolved. */
export interface EntityRef {
  readonly name: string;
  /** The event with the lowest index among those that name the entity in the batch. */
  owner: Owner;
  readonly kind: EntityKind;
  readonly parts: Parts;
  id: number | undefined;
}

/** Ids that a session caches. Most names of a batch also occur in the batch before. */
const MAX_REMEMBERED_IDS = 50_000;

interface Memory {
  /** Oid of the `entity` table that the ids were read from. */
  readonly directory: number;
  readonly ids: LRUCache<string, number>;
}

/**
 * Ids by name, cached for each session, of entities that were committed when it read them. An id never changes while the table
 * exists. If the database is restored or replaced, the session and its cache end; if a rebuild switches the table, `begin` drops the
 * cache.
 */
const remembered = new WeakMap<PoolClient, Memory>();

const RESOLVE = loadSql(import.meta.url, 'resolve-entities.sql');
const FIND_DIRECTORY = "SELECT 'entity'::regclass::oid AS directory";

/** Finds or gives the id of each entity; returns them in any order. */
export type FindIds = (client: PoolClient, unknown: readonly EntityRef[]) => Promise<readonly FoundId[]>;

export interface FoundId {
  /** Position in the list, from 1. */
  readonly nth: string;
  readonly id: number;
  /** True if the id was committed before this transaction. */
  readonly known: boolean;
}

/** Finds the ids of existing entities and numbers new ones, under the lock of the ledger heads. */
const findOrNumber: FindIds = async (client, unknown) =>
  (await client.query<FoundId>(RESOLVE, entityColumns(unknown))).rows;

export const entityColumns = (refs: readonly EntityRef[]): Buffer[] => [
  uuidArray(refs.map(({ owner }) => owner.tenant)),
  int2Array(refs.map(({ kind }) => ENTITY_KINDS[kind])),
  byteaArray(refs.map(({ owner, kind, parts }) => ruleKeyToBytes(ruleKey(owner.tenantKey, kind, parts)))),
  jsonbArray(refs.map(({ parts }) => JSON.stringify(parts))),
  int8Array(refs.map(({ owner }) => owner.ix)),
];

export function createEntityBatch(find: FindIds = findOrNumber): EntityBatch {
  const wanted: EntityRef[] = [];
  /** Entities by tenant, kind and name: a batch names most entities more than once. */
  const named = new Map<string, Map<string, EntityRef>[]>();
  let ids: LRUCache<string, number>;

  return {
    async begin(client) {
      const directory = (await client.query<{ directory: number }>(FIND_DIRECTORY)).rows[0]!.directory;
      let memory = remembered.get(client);
      if (memory?.directory !== directory)
        remembered.set(client, (memory = { directory, ids: new LRUCache({ max: MAX_REMEMBERED_IDS }) }));
      ids = memory.ids;
    },
    want(owner, kind, stated) {
      const parts = kind === 'user' ? plainUser(owner.tenantKey, stated) : stated;
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
      // An entity exists from the first event that names it, whichever projection asks first.
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
      const groups = byKey(unknown);
      const first = groups.map((group) => group.reduce((one, other) => (other.owner.ix < one.owner.ix ? other : one)));
      for (const { nth, id, known } of await find(client, first))
        for (const ref of groups[Number(nth) - 1]!) {
          ref.id = id;
          // A new id is cached only when it is read again: this transaction may still be rolled back.
          if (known) ids.set(ref.name, id);
        }
    },
    id({ id }) {
      if (id === undefined) throw new Error('call `resolve` before `id`');
      return id;
    },
  };
}

/** Groups names that have one key: a person's name, in entries after its erasure, and the name that stands for it, in those before. */
function byKey(refs: readonly EntityRef[]): readonly (readonly EntityRef[])[] {
  const isErased = ({ kind, parts }: EntityRef): boolean => kind === 'user' && parts.at(-1)!.startsWith(ERASED_PREFIX);
  if (!refs.some(isErased)) return refs.map((ref) => [ref]);
  const groups = new Map<string, EntityRef[]>();
  for (const ref of refs) {
    const { owner, kind, parts } = ref;
    const key = `${owner.tenant}${kind}${ruleKey(owner.tenantKey, kind, parts)}`;
    groups.set(key, [...(groups.get(key) ?? []), ref]);
  }
  return [...groups.values()];
}

const nameOf = (tenant: string, kind: EntityKind, parts: Parts): string => `${tenant}${kind}\0${ownName(parts)}`;

/** Joins the parts with NULs. No part contains a NUL, because `accept()` refuses it. */
function ownName(parts: Parts): string {
  const [first] = parts;
  if (parts.length === 1 && typeof first === 'string') return first;
  let name = '';
  for (const part of parts) name += part === null ? '\0-' : `\0+${part}`;
  return name;
}
