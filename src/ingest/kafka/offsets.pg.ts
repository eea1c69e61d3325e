import type { Pool } from 'pg';
import { loadSql } from '../../platform/postgres/index.js';
import type { StoredOffset } from './partition.js';

const STOP = loadSql(import.meta.url, 'stop-offset.sql');

export interface PartitionRow extends StoredOffset {
  readonly cluster: string;
  readonly topic: string;
  readonly partition: number;
}

export interface OffsetStore {
  read(cluster: string, topic: string, partition: number): Promise<StoredOffset | undefined>;
  /** Stops a partition until an operator decides. False if it no longer stands at `held`: another process has it then. */
  stop(cluster: string, topic: string, partition: number, reason: string, held: bigint): Promise<boolean>;
  /** Lists all partitions of a cluster that were ever read. */
  list(cluster: string): Promise<readonly PartitionRow[]>;
}

interface Row {
  cluster: string;
  topic: string;
  partition: number;
  next_offset: string;
  last_offset: string | null;
  last_sha256: Buffer | null;
  stopped: string | null;
}

export function createOffsetStore({ pool }: { pool: Pool }): OffsetStore {
  return {
    async read(cluster, topic, partition) {
      const { rows } = await pool.query<Row>(
        'SELECT * FROM kafka_offset WHERE cluster = $1 AND topic = $2 AND partition = $3',
        [cluster, topic, partition],
      );
      return rows[0] && readRow(rows[0]);
    },
    async stop(cluster, topic, partition, reason, held) {
      const { rowCount } = await pool.query(STOP, [cluster, topic, partition, reason, String(held)]);
      return rowCount === 1;
    },
    async list(cluster) {
      const { rows } = await pool.query<Row>(
        'SELECT * FROM kafka_offset WHERE cluster = $1 ORDER BY topic, partition',
        [cluster],
      );
      return rows.map(readRow);
    },
  };
}

const readRow = ({ cluster, topic, partition, next_offset, last_offset, last_sha256, stopped }: Row): PartitionRow => ({
  cluster,
  topic,
  partition,
  next: BigInt(next_offset),
  lastOffset: last_offset === null ? null : BigInt(last_offset),
  lastSha256: last_sha256,
  stopped,
});
