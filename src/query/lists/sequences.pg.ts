import { loadSql } from '../../platform/postgres/index.js';
import type { SequencesAnswer } from './answers.js';
import { asOfOf } from '../ask/as-of.js';
import { readParameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import type { Ask, Snapshot } from '../../projections/index.js';

const SEQUENCES = loadSql(import.meta.url, 'sequences.sql');

/** Gaps of a source that are shown; `missing` counts the numbers of all. */
const MAX_GAPS_SHOWN = 100;

/**
 * Answers which events are missing by the sources' own numbering: a gap is an event that never came, or has not yet.
 */
export function createSequencesQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (tenant: string, query: unknown): Promise<SequencesAnswer> => {
    readParameters(query, []);
    return ask(tenant, async (snapshot) => {
      const items = (await readSequences(snapshot, MAX_GAPS_SHOWN)).map(
        ({ source, first, last, missing, repeated, given_up, gaps }) => ({
          source: reader.source(source),
          first: Number(first),
          last: Number(last),
          missing: Number(missing),
          repeated: Number(repeated),
          given_up: Number(given_up),
          gaps: [...gaps],
        }),
      );
      return {
        as_of: asOfOf(snapshot),
        items: items.toSorted((one, other) => (one.source.name ?? '').localeCompare(other.source.name ?? '')),
      };
    });
  };
}

/**
 * Reads the sequences of the sources that number their events, at most `gaps` gaps each. They are kept for the present
 * only.
 */
export const readSequences = ({ rows }: Snapshot, gaps: number): Promise<SequenceRow[]> =>
  rows<SequenceRow>(SEQUENCES, [gaps]);

export interface SequenceRow {
  readonly [column: string]: unknown;
  readonly source: string;
  readonly first: string;
  readonly last: string;
  readonly missing: string;
  readonly repeated: string;
  readonly given_up: string;
  readonly gaps: readonly { readonly from: number; readonly to: number }[];
}
