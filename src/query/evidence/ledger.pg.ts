import { instantText } from '../../contracts/index.js';
import { listKeys, readPublished } from '../../log/index.js';
import { parseCheckpoint, parseNote, type Checkpoint } from '../../merkle/index.js';
import type { Ask } from '../../projections/index.js';
import { asOfOf } from '../ask/as-of.js';
import { readParameters } from '../ask/parameters.js';
import { keyTimes } from '../ledger/key-times.js';
import type { LedgerAnswer } from './answers.js';
import { sessionOf } from './evidence.pg.js';

/** Tells how far the ledger is published, and with which keys a reader checks it. */
export function createLedgerQuestion({ ask }: { readonly ask: Ask }) {
  return (tenant: string, query: unknown): Promise<LedgerAnswer> => {
    readParameters(query, []);
    return ask(tenant, async (snapshot) => {
      const session = sessionOf(snapshot);
      const [published, keys] = await Promise.all([readPublished(session, tenant), listKeys(session, tenant)]);
      if (published === undefined)
        return { as_of: asOfOf(snapshot), tenant, checkpoint: null, witnessed: null, keys: [] };
      const { origin, ...head } = checkpointOf(published.note);
      const { witnessed } = published;
      return {
        as_of: asOfOf(snapshot),
        tenant,
        checkpoint: { origin, ...headText(head), at: instantOf(published.at), note: published.note },
        witnessed: witnessed
          ? { ...headText(checkpointOf(witnessed.note)), at: instantOf(witnessed.at), note: witnessed.note }
          : null,
        keys: keyTimes(keys, origin),
      };
    });
  };
}

/** The keeper has written the note. */
const checkpointOf = (note: string): Checkpoint => parseCheckpoint(parseNote(note)!.text)!;
const headText = ({ size, root }: Pick<Checkpoint, 'size' | 'root'>) => ({
  size: String(size),
  root: root.toString('base64'),
});
const instantOf = (at: Date): string => instantText(at.getTime());
