import { RescindError } from '../../contracts/index.js';
import { int2Array, int4Array, loadSql, textArray } from '../../platform/postgres/index.js';
import { AGENT_TYPES, ENTITY_KINDS, type Snapshot } from '../../projections/index.js';
import type { Found, FoundCondition, Lookup, Lookups } from '../question/compose.js';
import { readBucket, type Condition } from '../question/read-question.js';
import { dimensionOf, entityKindOf, type DimensionName, type LookupName } from '../question/vocabulary.js';

/** Names that a prefix may mean, and values that a lookup may have. */
const MAX_NAMES = 10_000;
const MAX_LOOKED_UP = 200_000;

const FIND_BY_NAME = { name: 'explore-find-names', text: loadSql(import.meta.url, 'find-by-name.sql') };
const FIND_BY_ID =
  'SELECT id FROM entity WHERE tenant = $1 AND kind = $2::smallint AND from_ix < $3::bigint AND id = ANY ($4::int[])';
const WITH_ALIASES = { name: 'explore-aliases', text: loadSql(import.meta.url, 'with-aliases.sql') };
const DIRECTORY_VALUES = loadSql(import.meta.url, 'directory-values.sql');
const directoryValues = (column: 'team' | 'owner') => DIRECTORY_VALUES.replace('{value}', () => `d.${column}`);

const { user, client, agent } = ENTITY_KINDS;
const LOOKUPS: Readonly<Record<LookupName, { readonly sql: string; readonly values?: readonly unknown[] }>> = {
  team: { sql: directoryValues('team'), values: [int2Array([user])] },
  owner: { sql: directoryValues('owner'), values: [int2Array([client, agent])] },
  agent_type: { sql: `${AGENT_TYPES} LIMIT $3::int` },
  address_prefix: { sql: loadSql(import.meta.url, 'address-prefixes.sql') },
};

/** Sources of a tenant, by their registration. */
export interface KnownSources {
  /** Finds a source of the tenant by its name or id. */
  readonly find: (tenant: string, nameOrId: string) => { readonly id: string } | undefined;
  readonly all: (tenant: string) => readonly { readonly id: string; readonly name: string }[];
}

/** Finds the values that conditions mean. Rejects with `not-found` for a name that was never seen, and with `filter-too-wide`. */
export async function findConditions(
  snapshot: Snapshot,
  conditions: readonly Condition[],
  sources: KnownSources,
): Promise<FoundCondition[]> {
  const found: FoundCondition[] = [];
  for (const condition of conditions) found.push(await findCondition(snapshot, condition, sources));
  return found;
}

async function findCondition(snapshot: Snapshot, condition: Condition, sources: KnownSources): Promise<FoundCondition> {
  const { dimension, equals, entity, in: among, not, prefix, from, to, min, max, missing } = condition;
  const find = (values: readonly (string | number)[]): Promise<Found> =>
    findValues(snapshot, dimension, values, sources);
  // `equals` and `in` of one dimension must both hold.
  const within = equals === undefined ? among : among === undefined || among.includes(equals) ? [equals] : [];
  return {
    dimension,
    ...(within === undefined ? {} : { within: await find(within) }),
    ...(entity === undefined ? {} : { entity: await findOne(snapshot, dimension, entity) }),
    ...(prefix === undefined ? {} : { prefixed: await findPrefix(snapshot, dimension, prefix, sources) }),
    ...(not === undefined ? {} : { not: await find(not) }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(from === undefined ? {} : { min: numberOf(snapshot, dimension, from) }),
    ...(to === undefined ? {} : { before: numberOf(snapshot, dimension, to) }),
    ...(missing === undefined ? {} : { missing }),
  };
}

const numberOf = (snapshot: Snapshot, dimension: DimensionName, value: string | number): number =>
  dimensionOf(dimension).type === 'time' ? readBucket(dimension, value, snapshot.at) : Number(value);

async function findValues(
  snapshot: Snapshot,
  name: DimensionName,
  values: readonly (string | number)[],
  sources: KnownSources,
): Promise<Found> {
  const dimension = dimensionOf(name);
  switch (dimension.type) {
    case 'entity':
      return { ids: await findEntities(snapshot, name, values) };
    case 'code':
      return { ids: values.map((value) => dimension.codes[value]!) };
    case 'number':
    case 'time':
      return { ids: values.map((value) => numberOf(snapshot, name, value)) };
    case 'token':
      return { keys: values.map((value) => Buffer.from(String(value), 'base64url').toString('hex')) };
    case 'lookup':
      return { texts: values.map(String) };
    case 'source':
      return {
        texts: values.map((value) => sources.find(snapshot.tenant, String(value))?.id ?? unknown(name, value)),
      };
  }
}

async function findOne({ rows, index }: Snapshot, name: DimensionName, id: number): Promise<number> {
  const dimension = dimensionOf(name) as Extract<ReturnType<typeof dimensionOf>, { type: 'entity' }>;
  const [found] = await rows<{ id: number }>(FIND_BY_ID, [
    entityKindOf(dimension.kind),
    String(index),
    int4Array([id]),
  ]);
  return found?.id ?? unknown(name, id);
}

async function findEntities(
  { rows, index }: Snapshot,
  name: DimensionName,
  values: readonly (string | number)[],
): Promise<readonly number[]> {
  const dimension = dimensionOf(name) as Extract<ReturnType<typeof dimensionOf>, { type: 'entity' }>;
  const kind = entityKindOf(dimension.kind);
  const ids = values.filter((value) => typeof value === 'number');
  const names = values.filter((value) => typeof value === 'string');
  const byId = ids.length === 0 ? [] : await rows<{ id: number }>(FIND_BY_ID, [kind, String(index), int4Array(ids)]);
  const byName =
    names.length === 0
      ? []
      : await rows<{ id: number; name: string }>(FIND_BY_NAME, [
          kind,
          String(index),
          textArray(names),
          textArray(names.map((one) => one.toLowerCase())),
          null,
          null,
          MAX_NAMES + 1,
        ]);
  if (byName.length > MAX_NAMES) throw tooManyNames(name);
  const found = new Set<string | number>([...byId.map(({ id }) => id), ...byName.map((row) => row.name)]);
  for (const value of values) if (!found.has(value)) unknown(name, value);
  return addAliases(
    { rows, index },
    dimension,
    [...byId, ...byName].map(({ id }) => id),
  );
}

async function addAliases(
  { rows, index }: Pick<Snapshot, 'rows' | 'index'>,
  { aliases }: { readonly aliases?: true },
  ids: readonly number[],
): Promise<readonly number[]> {
  if (!aliases || ids.length === 0) return ids;
  return (await rows<{ id: number }>(WITH_ALIASES, [int4Array(ids), String(index)])).map(({ id }) => id);
}

async function findPrefix(
  snapshot: Snapshot,
  name: DimensionName,
  prefix: string,
  sources: KnownSources,
): Promise<Found> {
  const dimension = dimensionOf(name);
  if (dimension.type === 'lookup') return { prefix };
  if (dimension.type === 'source') {
    const found = sources.all(snapshot.tenant).filter((source) => source.name.startsWith(prefix));
    if (found.length === 0) unknown(name, prefix);
    return { texts: found.map(({ id }) => id) };
  }
  if (dimension.type !== 'entity') throw new RescindError('internal');
  const pattern = `${prefix.toLowerCase().replaceAll(/[\\%_]/g, (special) => `\\${special}`)}%`;
  const found = await snapshot.rows<{ id: number }>(FIND_BY_NAME, [
    entityKindOf(dimension.kind),
    String(snapshot.index),
    null,
    null,
    prefix,
    pattern,
    MAX_NAMES + 1,
  ]);
  if (found.length > MAX_NAMES) throw tooManyNames(name);
  if (found.length === 0) unknown(name, prefix);
  return {
    ids: await addAliases(
      snapshot,
      dimension,
      found.map(({ id }) => id),
    ),
  };
}

function unknown(name: DimensionName, value: string | number): never {
  throw new RescindError('not-found', {
    detail: `no \`${name}\` of this ${typeof value === 'number' ? 'id' : 'name'} has been seen`,
  });
}

const tooManyNames = (name: DimensionName): RescindError =>
  new RescindError('filter-too-wide', {
    detail: `\`${name}\` means more than ${MAX_NAMES.toLocaleString('en')} names: give a longer prefix`,
  });

/** Reads the values that the dimensions need and that are not in the uses. */
export async function readLookups(snapshot: Snapshot, dimensions: readonly DimensionName[]): Promise<Lookups> {
  const lookups: Partial<Record<LookupName, Lookup>> = {};
  for (const name of new Set(dimensions)) {
    const dimension = dimensionOf(name);
    if (dimension.type !== 'lookup' || dimension.lookup in lookups) continue;
    const { sql, values = [] } = LOOKUPS[dimension.lookup];
    const rows = await snapshot.rows<{ id: number; value: string | null }>(sql, [
      String(snapshot.index),
      ...values,
      MAX_LOOKED_UP + 1,
    ]);
    if (rows.length > MAX_LOOKED_UP)
      throw new RescindError('filter-too-wide', {
        detail: `more than ${MAX_LOOKED_UP.toLocaleString('en')} names have a value of \`${name}\``,
      });
    const known = rows.filter((row): row is { id: number; value: string } => row.value !== null);
    lookups[dimension.lookup] = { ids: known.map(({ id }) => id), values: known.map(({ value }) => value) };
  }
  return lookups;
}
