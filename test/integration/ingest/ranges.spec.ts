import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RANGE_ENTRIES } from '../../../src/log/index.js';
import { createStage, fromIdp, idJag, type Stage } from '../../support/stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
  while ((await rows('SELECT 1 FROM control_outbox o, control_head h WHERE o.seq < h.seq')).length > 0) await delay(10);
});
afterAll(() => stage.stop());

const rows = async <T extends object>(sql: string, parameters: unknown[] = []): Promise<T[]> =>
  (await stage.database.pool.query<T>(sql, parameters)).rows;

const moveHead = (to: bigint) =>
  stage.database.pool.query('UPDATE ledger_head SET next_ix = $2 WHERE tenant = $1', [stage.tenant, String(to)]);
const emit = (name: string, count: number) =>
  stage.emit(...Array.from({ length: count }, (_, n) => fromIdp('id-jag.issued', idJag({ jti: `${name}-${n}` }))));
const rangesOf = async (table: string): Promise<string[]> =>
  (
    await rows<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY inhrelid`,
      [table],
    )
  ).map(({ name }) => name);

describe('the ranges of the ledger', () => {
  it('exist before an index needs them: one is added when the last begins to fill', async () => {
    await emit('first', 1);
    for (const table of ['entry', 'payload']) while (!(await rangesOf(table)).includes(`${table}_1`)) await delay(10);
  });

  it('follow one another inside a batch', async () => {
    await moveHead(RANGE_ENTRIES - 2n);
    expect(await emit('across', 4)).toEqual(
      [-2n, -1n, 0n, 1n].map((n) => ({ index: String(RANGE_ENTRIES + n), state: 'sequenced' })),
    );
    expect(
      await rows('SELECT ix, tableoid::regclass::text AS range FROM entry WHERE ix >= $1 ORDER BY ix', [
        String(RANGE_ENTRIES - 1n),
      ]),
    ).toEqual([
      { ix: String(RANGE_ENTRIES - 1n), range: 'entry_0' },
      { ix: String(RANGE_ENTRIES), range: 'entry_1' },
      { ix: String(RANGE_ENTRIES + 1n), range: 'entry_1' },
    ]);
  });

  it('are made if one is missing, and no event is quarantined for it', async () => {
    await moveHead(4n * RANGE_ENTRIES);
    expect(await emit('missing', 2)).toEqual(
      [0n, 1n].map((n) => ({ index: String(4n * RANGE_ENTRIES + n), state: 'sequenced' })),
    );
    expect(await rows('SELECT code FROM quarantine')).toEqual([]);
  });
});

describe('a question about one entry', () => {
  it('reads one range of entries and one of payloads', async () => {
    const sql = readFileSync(new URL('../../../src/query/lists/entry.sql', import.meta.url), 'utf8');
    const plan = await rows<{ 'QUERY PLAN': string }>(
      `EXPLAIN (COSTS OFF) ${sql.replaceAll('$1', `'${stage.tenant}'`).replaceAll('$2', String(RANGE_ENTRIES))}`,
    );
    const read = plan.flatMap((line) =>
      [...line['QUERY PLAN'].matchAll(/ on (entry|payload)_\d+/g)].map(([, table]) => table),
    );
    expect(read.sort()).toEqual(['entry', 'payload']);
  });
});

describe('a look for duplicates', () => {
  it('reads one of the parts of `dedupe`', async () => {
    const [known] = await rows<{ key: Buffer }>('SELECT key FROM dedupe WHERE tenant = $1 LIMIT 1', [stage.tenant]);
    const sql = readFileSync(new URL('../../../src/log/find-known.sql', import.meta.url), 'utf8');
    const plan = await rows<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF, SUMMARY OFF) ${sql}`,
      [[stage.tenant], [known!.key]],
    );
    const parts = plan.map((line) => line['QUERY PLAN']).filter((line) => / on dedupe_\d+/.test(line));
    expect(parts.filter((line) => !line.includes('never executed'))).toHaveLength(1);
    expect(parts).toHaveLength(16);
  });
});
