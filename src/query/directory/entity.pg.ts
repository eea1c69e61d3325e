import { RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { type Ask, ENTITY_KINDS, type EntityKind, type Snapshot } from '../../projections/index.js';
import { asOfOf, readAsOf } from '../ask/as-of.js';
import { readDisplayNames } from '../ask/names.pg.js';
import { findingsOf, type FindingSubject, type ReadOpenFindings } from '../ask/open-findings.js';
import { entityIdOf, invalid, readParameters } from '../ask/parameters.js';
import type { EntityAnswer } from './answers.js';
import { columnsOf, type DirectoryColumns } from './entry.js';

const ENTITY_NAMES = loadSql(import.meta.url, 'entity-names.sql');
const TIED = loadSql(import.meta.url, 'tied-names.sql');
const WEAK = loadSql(import.meta.url, 'weak-names.sql');

export const ENTITY_PARAMETERS = ['as_of'] as const;

/** Names that an answer shows, and ties between names that it looks at. */
const MAX_NAMES = 200;
const MAX_TIES = 1_000;

const KIND_NAMES: ReadonlyMap<number, EntityKind> = new Map(
  (Object.entries(ENTITY_KINDS) as [EntityKind, number][]).map(([name, code]) => [code, name]),
);

type Name = EntityAnswer['names'][number];

/** Answers which names one user, client or other thing has, and which event states each (open question D23). */
export function createEntityQuestion({
  ask,
  openFindings,
}: {
  readonly ask: Ask;
  readonly openFindings: ReadOpenFindings | undefined;
}) {
  return (tenant: string, id: string, query: unknown): Promise<EntityAnswer> => {
    const asked = readAsOf(readParameters(query, ENTITY_PARAMETERS));
    const entity = entityIdOf(id);
    if (entity === undefined) throw invalid('the id of an entity is a decimal number, as other answers give it');
    return ask(tenant, (snapshot) => describe(snapshot, entity, openFindings), asked);
  };
}

async function describe(
  snapshot: Snapshot,
  id: number,
  openFindings: ReadOpenFindings | undefined,
): Promise<EntityAnswer> {
  const [self] = await readRows(snapshot, [id]);
  if (!self) throw new RescindError('not-found', { detail: 'no entity of this id has been seen' });
  const { ties, more } = await readTies(snapshot, id);
  const strong = [...new Set([id, ...ties.map(({ idp }) => idp), ...ties.map(({ local }) => local)])].slice(
    0,
    MAX_NAMES,
  );
  const rows = await readRows(snapshot, strong);
  const shared = await readShared(snapshot, strong);
  const emails = [...new Set(rows.flatMap((row) => row.emails ?? []))];
  const room = MAX_NAMES - strong.length;
  const weak =
    emails.length === 0
      ? []
      : (await snapshot.rows<{ id: number }>(WEAK, [emails, String(snapshot.index), strong, room + 1])).map(
          (row) => row.id,
        );
  const weakRows = await readRows(snapshot, weak.slice(0, room));
  const display = (await readDisplayNames(snapshot, [id])).get(id);
  const nameOf = (row: NameRow, isWeak: boolean): Name => ({
    entity: row.id,
    iss: row.parts.length > 1 ? row.parts[0]! : null,
    ...(row.kind === ENTITY_KINDS.user && row.parts[1] != null ? { tenant: row.parts[1] } : {}),
    name: row.parts.at(-1)!,
    first_seen: row.from_ix,
    asserted_by: isWeak
      ? []
      : ties.flatMap(({ local, idp, from_ix }) =>
          local === row.id
            ? [{ entity: idp, index: from_ix }]
            : idp === row.id
              ? [{ entity: local, index: from_ix }]
              : [],
        ),
    weak: isWeak,
    shared: shared.has(row.id),
    directory: row.listed ? columnsOf(row as DirectoryColumns) : null,
  });
  const inOrder = [...rows].sort((one, other) => strong.indexOf(one.id) - strong.indexOf(other.id));
  return {
    as_of: asOfOf(snapshot),
    entity: id,
    kind: KIND_NAMES.get(self.kind)!,
    ...(display === undefined ? {} : { display_name: display }),
    names: [...inOrder.map((row) => nameOf(row, false)), ...weakRows.map((row) => nameOf(row, true))],
    at_least: more || weak.length > room,
    ...(await findingsOf(openFindings, snapshot, subjectOf(KIND_NAMES.get(self.kind)!, strong))),
  };
}

/** A finding names a user, client, agent or resource, by any of its names. */
const subjectOf = (kind: EntityKind, ids: readonly number[]): FindingSubject | undefined =>
  kind === 'user' || kind === 'client' || kind === 'agent' || kind === 'resource' ? { kind, ids } : undefined;

interface Tie {
  readonly [column: string]: unknown;
  readonly local: number;
  readonly idp: number;
  readonly from_ix: string;
}

/**
 * Reads the ties of a name: the names that grants state together with it and, if it is the local name of exactly one
 * user of the IdP, the ties of the IdP's name. A local name with several IdP names leads no further: an account that
 * people share does not make them one person.
 */
async function readTies(
  snapshot: Snapshot,
  id: number,
): Promise<{ readonly ties: readonly Tie[]; readonly more: boolean }> {
  const read = (ids: readonly number[]): Promise<Tie[]> =>
    snapshot.rows<Tie>(TIED, [ids, String(snapshot.index), MAX_TIES + 1]);
  const own = await read([id]);
  const idps = new Set(own.filter(({ local }) => local === id).map(({ idp }) => idp));
  const ties = idps.size === 1 ? await read([id, ...idps]) : own;
  return { ties: ties.slice(0, MAX_TIES), more: ties.length > MAX_TIES };
}

/** Finds local names that grants state with several IdP names. */
async function readShared(snapshot: Snapshot, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await snapshot.rows<{ local: number }>(
    'SELECT local FROM alias WHERE tenant = $1 AND local = ANY ($2::int[]) AND from_ix < $3::bigint GROUP BY local HAVING count(*) > 1',
    [ids, String(snapshot.index)],
  );
  return new Set(rows.map(({ local }) => local));
}

interface NameRow extends Partial<DirectoryColumns> {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly kind: number;
  readonly parts: readonly (string | null)[];
  readonly from_ix: string;
  readonly listed: boolean;
}

const readRows = async (snapshot: Snapshot, ids: readonly number[]): Promise<NameRow[]> =>
  ids.length === 0 ? [] : snapshot.rows<NameRow>(ENTITY_NAMES, [ids, String(snapshot.index)]);
