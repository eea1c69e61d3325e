import { RescindError } from '../../contracts/index.js';
import type { Seq } from '../../control/index.js';
import type { Pool, PoolClient } from '../../platform/postgres/index.js';

/** Advisory lock of the process that publishes the control log. */
const LEAD_LOCK = 7426;

/** Position up to which a topic is published: a seq of the control log, or an index of a ledger. */
export interface Cursor<P extends bigint = Seq> {
  readonly seq: P;
  readonly lastOffset: bigint | null;
}

export interface Move<P extends bigint = Seq> {
  readonly topic: string;
  readonly held: P;
  readonly to: Cursor<P>;
}

/** The right to publish, held by a session of its own. The same session moves the cursors, so that without the right they do not move. */
export interface Lead<P extends bigint = Seq> {
  /** Whether the server or the network has reported the session lost. The next move notices a session that is silently gone. */
  isLost(): boolean;
  cursors(cluster: string): Promise<Map<string, Cursor<P>>>;
  begin(cluster: string, topic: string, at: Cursor<P>): Promise<void>;
  /** Moves cursors. Throws `edit-conflict` if another process moved one of them. */
  move(cluster: string, moves: readonly Move<P>[]): Promise<void>;
  release(): void;
}

/**
 * Reads the offset of the last record that this database knows as published. Null if it knows none, or published to more than one
 * cluster.
 */
export async function storedOffset(pool: Pool, topic: string): Promise<bigint | null> {
  const { rows } = await pool.query<{ last_offset: string | null }>(
    'SELECT last_offset FROM topic_cursor WHERE topic = $1',
    [topic],
  );
  const offset = rows.length === 1 ? rows[0]!.last_offset : null;
  return offset === null ? null : BigInt(offset);
}

/** Takes the right to publish what `lock` stands for. Undefined if another process has it. */
export async function takeLead<P extends bigint = Seq>(pool: Pool, lock = LEAD_LOCK): Promise<Lead<P> | undefined> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  const release = (): void => {
    client.off('error', onError);
    // Closed instead of given back: the lock ends with the session, whatever the session's state.
    client.release(broken ?? true);
  };
  try {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [lock]);
    if (rows[0]!.taken) return leadOf<P>(client, () => broken !== undefined, release);
    client.off('error', onError);
    client.release(broken);
    return undefined;
  } catch (error) {
    release();
    throw error;
  }
}

function leadOf<P extends bigint>(client: PoolClient, isLost: () => boolean, release: () => void): Lead<P> {
  return {
    isLost,
    async cursors(cluster) {
      const { rows } = await client.query<{ topic: string; seq: string; last_offset: string | null }>(
        'SELECT topic, seq, last_offset FROM topic_cursor WHERE cluster = $1',
        [cluster],
      );
      return new Map(
        rows.map(({ topic, seq, last_offset: offset }) => [
          topic,
          { seq: BigInt(seq) as P, lastOffset: offset === null ? null : BigInt(offset) },
        ]),
      );
    },
    async begin(cluster, topic, { seq, lastOffset }) {
      await client.query(
        `INSERT INTO topic_cursor (cluster, topic, seq, last_offset) VALUES ($1, $2, $3, $4)
         ON CONFLICT (cluster, topic) DO UPDATE SET seq = excluded.seq, last_offset = excluded.last_offset, moved_at = now()`,
        [cluster, topic, seq, lastOffset],
      );
    },
    async move(cluster, moves) {
      const { rowCount } = await client.query(
        `UPDATE topic_cursor c SET seq = m.seq, last_offset = m.last_offset, moved_at = now()
         FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) AS m(topic, held, seq, last_offset)
         WHERE c.cluster = $1 AND c.topic = m.topic AND c.seq = m.held`,
        [
          cluster,
          moves.map(({ topic }) => topic),
          moves.map(({ held }) => held),
          moves.map(({ to }) => to.seq),
          moves.map(({ to }) => to.lastOffset),
        ],
      );
      if (rowCount !== moves.length)
        throw new RescindError('edit-conflict', { detail: 'another process publishes to the topic' });
    },
    release,
  };
}
