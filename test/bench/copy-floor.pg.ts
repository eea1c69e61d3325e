import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import type { Pool } from '../../src/platform/postgres/index.js';

const SIGNATURE = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);

/** Rows a second of a bare binary COPY of these bytes into an unindexed logged table, in transactions of `batch` rows. */
export async function copyFloor(pool: Pool, values: readonly Buffer[], batch: number): Promise<number> {
  await pool.query('CREATE TABLE IF NOT EXISTS bench_floor (bytes bytea NOT NULL)');
  const client = await pool.connect();
  const startedAt = performance.now();
  try {
    for (let at = 0; at < values.length; at += batch) {
      const rows = values.slice(at, at + batch).flatMap((value) => [Buffer.from([0, 1]), length(value), value]);
      await pipeline(
        Readable.from([Buffer.concat([SIGNATURE, ...rows, Buffer.from([0xff, 0xff])])]),
        client.query(copyFrom('COPY bench_floor FROM STDIN (FORMAT binary)')),
      );
    }
  } finally {
    client.release();
  }
  const rate = (values.length / (performance.now() - startedAt)) * 1000;
  await pool.query('TRUNCATE bench_floor');
  return rate;
}

function length(value: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value.length);
  return bytes;
}
