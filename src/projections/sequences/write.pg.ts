import type { PoolClient } from 'pg';
import { loadSql } from '../../platform/postgres/index.js';
import type { ProjectedEvent } from '../event.js';

const WRITE = loadSql(import.meta.url, 'write-sequences.sql');
const GIVE_UP = loadSql(import.meta.url, 'give-up-gaps.sql');

/** The most gaps that are kept for one source. Beyond it the lowest are given up: counted, and no longer waited for. */
export const MAX_SEQUENCE_GAPS = 1_000;

/** State of a source's sequence after a batch. */
export interface SequenceState {
  readonly source: string;
  /** Numbers between the first and the last that have not arrived. */
  readonly missing: number;
  /** Events whose number another event had used, or that was given up. */
  readonly repeated: number;
  readonly givenUp: number;
}

interface Row {
  readonly tenant: string;
  readonly source: string;
  readonly gaps?: string;
  readonly missing: string;
  readonly repeated: string;
  readonly given_up: string;
}

/** Plans the numbers that sources give their events (`sequence`), in any order of arrival. */
export function planSequences(events: readonly ProjectedEvent[]) {
  const numbered = events.filter(({ data }) => data.sequence !== undefined);

  return async function write(client: PoolClient): Promise<readonly SequenceState[]> {
    if (numbered.length === 0) return [];
    const values = [
      numbered.map(({ tenant }) => tenant),
      numbered.map(({ source }) => source),
      numbered.map(({ data }) => data.sequence),
    ];
    const { rows } = await client.query<Row>(WRITE, values);
    const wide = rows.filter(({ gaps }) => Number(gaps) > MAX_SEQUENCE_GAPS);
    const closed =
      wide.length === 0
        ? []
        : (
            await client.query<Row>(GIVE_UP, [
              wide.map(({ tenant }) => tenant),
              wide.map(({ source }) => source),
              MAX_SEQUENCE_GAPS,
            ])
          ).rows;
    return [...rows.filter((row) => !wide.includes(row)), ...closed].map(stateOf);
  };
}

const stateOf = ({ source, missing, repeated, given_up }: Row): SequenceState => ({
  source,
  missing: Number(missing),
  repeated: Number(repeated),
  givenUp: Number(given_up),
});
