import type { Pool } from 'pg';
import type { StoredOffset } from './partition.js';

export interface OffsetStore {
  read(cluster: string, topic: string, partition: number): Promise<StoredOffset | undefined>;
  /** Stops a partition until an operator decides. */
  stop(cluster: string, topic: string, partition: number, reason: string): Promise<void>;
}

interface Row {
  next_offset: string;
  last_offset: string | null;
  last_sha256: Buffer | null;
  stopped: string | null;
}

export function createOffsetStore({ pool }: { pool: Pool }): OffsetStore {
  return {
    async read(cluster, topic, partition) {
      const { rows } = await pool.query<Row>(
        'SELECT next_offset, last_offset, last_sha256, stopped FROM kafka_offset WHERE cluster = $1 AND topic = $2 AND partition = $3',
        [cluster, topic, partition],
      );
      const row = rows[0];
      if (!row) return undefined;
      return {
        next: BigInt(row.next_offset),
        lastOffset: row.last_offset === null ? null : BigInt(row.last_offset),
        lastSha256: row.last_sha256,
        stopped: row.stopped,
      };
    },
    async stop(cluster, topic, partition, reason) {
      await pool.query('UPDATE kafka_offset SET stopped = $4 WHERE cluster = $1 AND topic = $2 AND partition = $3', [
        cluster,
        topic,
        partition,
        reason,
      ]);
    },
  };
}
