import { RescindError, timeText } from '../../contracts/index.js';
import type { Snapshot } from '../../projections/index.js';
import type { Parts } from './canvas.js';

const PARTS = {
  name: 'graph-entities',
  text: 'SELECT id, parts FROM entity WHERE tenant = $1 AND id = ANY ($2::int[])',
};
const FIRST_SEEN = {
  name: 'graph-first-seen',
  text: `SELECT e.id, e.from_ix, n.arrival FROM entity e JOIN entry n ON n.tenant = $1 AND n.ix = e.from_ix
    WHERE e.tenant = $1 AND e.id = ANY ($2::int[])`,
};

/** Reads the names of entities. */
export async function readParts({ rows }: Snapshot, ids: Iterable<number>): Promise<(id: number) => Parts> {
  const found = await rows<PartsRow>(PARTS, [[...new Set(ids)]]);
  return lookUp(new Map(found.map(({ id, parts }) => [id, parts])));
}

/** The first event that named an entity, and its arrival. */
export interface FirstSeen {
  readonly index: string;
  readonly at: string;
}

/** Reads the first event that named each entity. */
export async function readFirstSeen({ rows }: Snapshot, ids: readonly number[]): Promise<(id: number) => FirstSeen> {
  const found = await rows<FirstSeenRow>(FIRST_SEEN, [ids]);
  return lookUp(
    new Map(
      found.map(({ id, from_ix, arrival }) => [
        id,
        { index: from_ix, at: timeText(Math.floor(Number(arrival) / 1000)) },
      ]),
    ),
  );
}

const lookUp =
  <T>(found: ReadonlyMap<number, T>): ((id: number) => T) =>
  (id) => {
    const one = found.get(id);
    if (one === undefined)
      throw new RescindError('internal', { cause: new Error(`a projection names entity ${id}, which does not exist`) });
    return one;
  };

interface PartsRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly parts: Parts;
}

interface FirstSeenRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly from_ix: string;
  readonly arrival: string;
}
