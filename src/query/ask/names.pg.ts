import { RescindError } from '../../contracts/index.js';
import { ENTITY_KINDS, READ_NAMES, type EntityRow, type Snapshot } from '../../projections/index.js';
import { ruleKey, ruleKeyToBytes } from '../../rules/index.js';
import type { FilterKind } from './entity-kinds.js';
import { readEntity, type EntityRef, type Parameters } from './parameters.js';

export { namesOf, readNames, type EntityRow, type Names } from '../../projections/index.js';

const BY_ID = 'SELECT id FROM entity WHERE tenant = $1 AND id = $2 AND kind = $3 AND from_ix < $4';
const BY_KEY = 'SELECT id FROM entity WHERE tenant = $1 AND kind = $3 AND key = $2 AND from_ix < $4';
/** Selects the entity first, then the other names of a user or client. */
const withAliases = (find: string): string => `WITH named AS (${find})
  SELECT id, 0 AS nth FROM named
  UNION ALL (SELECT idp, 1 FROM alias WHERE tenant = $1 AND local = (SELECT id FROM named) AND from_ix < $4
    UNION SELECT local, 1 FROM alias WHERE tenant = $1 AND idp = (SELECT id FROM named) AND from_ix < $4)
  ORDER BY nth`;
const FIND = { byId: { name: 'entity-by-id', text: BY_ID }, byKey: { name: 'entity-by-key', text: BY_KEY } } as const;
const FIND_ALL = {
  byId: { name: 'names-by-id', text: withAliases(BY_ID) },
  byKey: { name: 'names-by-key', text: withAliases(BY_KEY) },
} as const;

/**
 * Finds the ids that a filter stands for; undefined if the filter is not given. A user or client is also found under
 * the other names that an ID-JAG stated with this one: a RAS's and the IdP's. Rejects with `not-found` if the name was
 * never seen, so that a misspelt name is not taken for somebody who did nothing.
 */
export async function resolveFilter(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  parameters: Parameters,
  kind: FilterKind,
): Promise<readonly number[] | undefined> {
  const ref = readEntity(parameters, kind);
  if (ref === undefined) return undefined;
  const hasAliases = kind === 'user' || kind === 'client';
  const ids = await findIds(snapshot, tenantKey, kind, ref, hasAliases ? FIND_ALL : FIND);
  if (ids.length === 0)
    throw new RescindError('not-found', { detail: `no ${kind} of this ${'id' in ref ? 'id' : 'name'} has been seen` });
  return ids;
}

export async function findEntity(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  kind: FilterKind,
  ref: EntityRef,
): Promise<number | undefined> {
  return (await findIds(snapshot, tenantKey, kind, ref, FIND))[0];
}

async function findIds(
  { rows, index }: Snapshot,
  tenantKey: Uint8Array,
  kind: FilterKind,
  ref: EntityRef,
  { byId, byKey }: typeof FIND | typeof FIND_ALL,
): Promise<number[]> {
  const [sql, value] = 'id' in ref ? [byId, ref.id] : [byKey, ruleKeyToBytes(ruleKey(tenantKey, kind, ref.parts))];
  return (await rows<{ id: number }>(sql, [value, ENTITY_KINDS[kind], String(index)])).map(({ id }) => id);
}

/** Reads the directory's display names; an entity without one is left out. */
export async function readDisplayNames(
  snapshot: Snapshot,
  ids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows =
    ids.length === 0
      ? []
      : await snapshot.rows<EntityRow & Record<string, unknown>>(READ_NAMES, [ids, String(snapshot.index)]);
  return new Map(rows.flatMap(({ id, display_name }) => (display_name === null ? [] : [[id, display_name] as const])));
}

/** Names an entity by its id, or writes a value, unless it is null. */
export const orNull = <V, T>(value: V | null, write: (value: V) => T): T | null =>
  value === null ? null : write(value);
