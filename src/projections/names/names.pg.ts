import { RescindError, type Agent, type Client, type Resource, type User } from '../../contracts/index.js';
import { shownErased } from '../../rules/index.js';
import { int4Array } from '../../platform/postgres/index.js';
import type { Snapshot } from '../snapshot/snapshot.pg.js';
import { READ_NAMES } from './read-names.js';

export interface EntityRow {
  readonly id: number;
  readonly kind: number;
  readonly parts: readonly (string | null)[];
  readonly display_name: string | null;
}

/** The names of the entities of one answer. A missing name is an error of the projections, not of the question. */
export interface Names {
  user(id: number): User;
  client(id: number): Client;
  agent(id: number): Agent;
  resource(id: number): Resource;
  /** Name of a route, address or scope. */
  text(id: number): string;
}

/** Reads the names of entities as of the snapshot. */
export async function readNames(snapshot: Snapshot, ids: Iterable<number | null>): Promise<Names> {
  const wanted = [...new Set([...ids].filter((id) => id !== null))];
  const rows =
    wanted.length === 0
      ? []
      : await snapshot.rows<EntityRow & Record<string, unknown>>(READ_NAMES, [
          int4Array(wanted),
          String(snapshot.index),
        ]);
  return namesOf(rows);
}

export function namesOf(rows: readonly EntityRow[]): Names {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const parts = (id: number): readonly (string | null)[] => {
    const row = byId.get(id);
    if (!row)
      throw new RescindError('internal', { cause: new Error(`a projection names entity ${id}, which does not exist`) });
    return row.parts;
  };
  /** The directory's display name, for people. */
  const shown = (id: number): { display_name?: string } => {
    const name = byId.get(id)!.display_name;
    return name === null ? {} : { display_name: name };
  };
  return {
    user(id) {
      const [iss, tenant, sub] = parts(id);
      const erased = shownErased(sub);
      return {
        entity: id,
        iss: iss!,
        ...(tenant == null ? {} : { tenant }),
        sub: sub!,
        ...(erased === undefined ? shown(id) : { display_name: erased }),
      };
    },
    client(id) {
      const [iss, clientId] = parts(id);
      return { entity: id, iss: iss!, client_id: clientId!, ...shown(id) };
    },
    agent(id) {
      const [iss, agentId] = parts(id);
      return { entity: id, iss: iss!, id: agentId!, ...shown(id) };
    },
    resource: (id) => ({ entity: id, uri: parts(id)[0]!, ...shown(id) }),
    text: (id) => parts(id)[0]!,
  };
}
