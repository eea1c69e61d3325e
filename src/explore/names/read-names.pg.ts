import { RescindError } from '../../contracts/index.js';
import { int4Array } from '../../platform/postgres/index.js';
import { READ_NAMES, type Snapshot } from '../../projections/index.js';

interface NameRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly parts: readonly (string | null)[];
  readonly display_name: string | null;
}

/** How answers name an entity, by what the dimension shows. */
export interface Names {
  show(shows: 'user' | 'client' | 'agent' | 'resource' | 'text', id: number): object | string;
}

/** Reads the names of entities as of the snapshot. A missing name is an error of the projections. */
export async function readNames(snapshot: Snapshot, ids: Iterable<number>): Promise<Names> {
  const wanted = [...new Set(ids)];
  const rows =
    wanted.length === 0 ? [] : await snapshot.rows<NameRow>(READ_NAMES, [int4Array(wanted), String(snapshot.index)]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return {
    show(shows, id) {
      const row = byId.get(id);
      if (row === undefined)
        throw new RescindError('internal', { cause: new Error(`a use names entity ${id}, which does not exist`) });
      const { parts } = row;
      const shown = row.display_name === null ? {} : { display_name: row.display_name };
      switch (shows) {
        case 'user':
          return {
            entity: id,
            iss: parts[0]!,
            ...(parts[1] == null ? {} : { tenant: parts[1] }),
            sub: parts[2]!,
            ...shown,
          };
        case 'client':
          return { entity: id, iss: parts[0]!, client_id: parts[1]!, ...shown };
        case 'agent':
          return { entity: id, iss: parts[0]!, id: parts[1]!, ...shown };
        case 'resource':
          return { entity: id, uri: parts[0]! };
        case 'text':
          return parts[0]!;
      }
    },
  };
}
