import type { Pool, PoolClient } from '../../src/platform/postgres/index.js';

/** Statements that write aggregates, each found by a part of its text. */
const LEFT_OUT: readonly string[] = [
  'INSERT INTO use_total',
  'INSERT INTO edge_grant',
  'INSERT INTO client_user',
  'INSERT INTO edge_seen',
  'INSERT INTO source_count',
  'INSERT INTO use_usr (',
];

/**
 * Lets the sessions of a pool, and the benchmark's alone, leave out what writes aggregates. Answers with a check that each statement was
 * met: one that goes by another name now would be measured on both sides.
 */
export function leaveOutAggregates(pool: Pool): () => void {
  const met = new Set<string>();
  pool.on('connect', (client: PoolClient) => {
    const send = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((text: unknown, ...rest: unknown[]) => {
      const found = typeof text === 'string' ? LEFT_OUT.find((known) => text.includes(known)) : undefined;
      if (found === undefined) return send(text, ...rest);
      met.add(found);
      return Promise.resolve({ rows: [], rowCount: 0 });
    }) as typeof client.query;
  });
  return () => {
    const missed = LEFT_OUT.filter((known) => !met.has(known));
    if (missed.length > 0) throw new Error(`no batch sent: ${missed.join(', ')}`);
  };
}
