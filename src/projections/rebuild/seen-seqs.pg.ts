import type { Pool } from 'pg';
import { byteaArray } from '../../platform/postgres/index.js';
import { only, type ProjectedEvent } from '../event.js';
import { idJagKeyOf, tokenKeyOf } from '../tokens/write.pg.js';

/**
 * Adds `seenSeq` to token and ID-JAG events. The ledger does not have it, so it is taken from the live row of the same entry. If that
 * row is gone it stays 0, below every rule, so that more rules stop the token than before, never fewer.
 */
export async function withSeenSeqs(
  session: Pick<Pool, 'query'>,
  events: readonly ProjectedEvent[],
): Promise<readonly ProjectedEvent[]> {
  const tokens = await readSeen(
    session,
    'token',
    only(events, 'token.issued').map((event) => ({ event, key: tokenKeyOf(event) })),
  );
  const idJags = await readSeen(
    session,
    'id_jag',
    only(events, 'id-jag.issued').map((event) => ({ event, key: idJagKeyOf(event) })),
  );
  return events.map((event) => {
    const seenSeq = tokens.get(event) ?? idJags.get(event);
    return seenSeq === undefined ? event : { ...event, seenSeq };
  });
}

/** Reads the stored seqs. All events must be of one tenant. */
async function readSeen(
  session: Pick<Pool, 'query'>,
  table: 'token' | 'id_jag',
  issued: readonly { readonly event: ProjectedEvent; readonly key: Buffer }[],
): Promise<ReadonlyMap<ProjectedEvent, bigint>> {
  if (issued.length === 0) return new Map();
  const { rows } = await session.query<{ nth: string; ix: string; seen_seq: string }>(
    `SELECT w.nth, t.ix, t.seen_seq FROM unnest($2::bytea[]) WITH ORDINALITY AS w (key, nth)
     CROSS JOIN LATERAL (SELECT ix, seen_seq FROM ${table} WHERE tenant = $1 AND key = w.key LIMIT 1) t`,
    [issued[0]!.event.tenant, byteaArray(issued.map(({ key }) => key))],
  );
  return new Map(
    rows.flatMap(({ nth, ix, seen_seq }) => {
      const { event } = issued[Number(nth) - 1]!;
      return BigInt(ix) === event.ix ? [[event, BigInt(seen_seq)] as const] : [];
    }),
  );
}
