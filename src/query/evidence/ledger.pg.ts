import { instantText } from '../../contracts/index.js';
import { listKeys, listWitnesses, readPublished } from '../../log/index.js';
import { parseCheckpoint, parseNote, type Checkpoint } from '../../merkle/index.js';
import type { Ask, Snapshot } from '../../projections/index.js';
import { asOfOf } from '../ask/as-of.js';
import { readParameters } from '../ask/parameters.js';
import { keyTimes } from '../ledger/key-times.js';
import type { LedgerAnswer } from './answers.js';
import { sessionOf } from './evidence.pg.js';

/** Steps in which the growth of a ledger is told. */
const GROWTH_STEPS = 60n;
const GROWTH = {
  name: 'ledger-growth',
  text: 'SELECT ix + 1 AS size, arrival FROM entry WHERE tenant = $1 AND ix = ANY ($2::bigint[]) ORDER BY ix',
};

/** Tells how far the ledger is published, and with which keys a reader checks it. */
export function createLedgerQuestion({ ask }: { readonly ask: Ask }) {
  return (tenant: string, query: unknown): Promise<LedgerAnswer> => {
    readParameters(query, []);
    return ask(tenant, async (snapshot) => {
      const session = sessionOf(snapshot);
      const [published, keys] = await Promise.all([readPublished(session, tenant), listKeys(session, tenant)]);
      if (published === undefined)
        return {
          as_of: asOfOf(snapshot),
          tenant,
          checkpoint: null,
          witnessed: null,
          witnesses: [],
          growth: [],
          keys: [],
        };
      const { origin, ...head } = checkpointOf(published.note);
      const { witnessed } = published;
      const witnesses = await listWitnesses(session, tenant, published.incarnation);
      return {
        as_of: asOfOf(snapshot),
        tenant,
        checkpoint: { origin, ...headText(head), at: instantOf(published.at), note: published.note },
        witnessed: witnessed
          ? { ...headText(checkpointOf(witnessed.note)), at: instantOf(witnessed.at), note: witnessed.note }
          : null,
        witnesses: witnesses.map(({ name, size, at }) => ({ name, size: String(size), at: at && instantOf(at) })),
        growth: await readGrowth(snapshot, head.size),
        keys: keyTimes(keys, origin),
      };
    });
  };
}

/** Reads when the ledger had 1 entry, and so on to `size`. Arrival never runs backwards, so it is the time of each size. */
async function readGrowth(snapshot: Snapshot, size: bigint): Promise<LedgerAnswer['growth']> {
  const last = size - 1n;
  const steps = Array.from({ length: Number(GROWTH_STEPS) + 1 }, (_, nth) => (last * BigInt(nth)) / GROWTH_STEPS);
  const rows = await snapshot.rows<{ size: string; arrival: string }>(GROWTH, [[...new Set(steps)].map(String)]);
  return rows.map(({ size: entries, arrival }) => ({ size: entries, at: instantText(Number(arrival)) }));
}

/** The keeper has written the note. */
const checkpointOf = (note: string): Checkpoint => parseCheckpoint(parseNote(note)!.text)!;
const headText = ({ size, root }: Pick<Checkpoint, 'size' | 'root'>) => ({
  size: String(size),
  root: root.toString('base64'),
});
const instantOf = (at: Date): string => instantText(at.getTime());
