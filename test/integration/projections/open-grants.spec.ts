import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createStage, type Stage } from '../../support/stage.js';

/** The planner changes its mind with the size. */
const STEPS = 12;
const GRANTS_A_STEP = 5_000;
const WANTED = 100;
/** The depth of an index, and the row. */
const PAGES_A_GRANT = 8;

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(() => stage.stop());

it('an open grant is looked up by its whole key in a table that was never analyzed, even if one resource has all grants', async () => {
  const { pool } = stage.database;
  await pool.query('ALTER TABLE grant_version SET (autovacuum_enabled = off)');
  const sql = readFileSync(new URL('../../../src/projections/grants/read-open.sql', import.meta.url), 'utf8');
  const users = Array.from({ length: WANTED }, (_, n) => n * 7 + 1);
  const pages: number[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    await pool.query(
      `INSERT INTO grant_version (tenant, usr, client, res, from_ix, scopes)
       SELECT $1, n, 1, 2, n, '{}' FROM generate_series($2::int + 1, $2::int + $3::int) n`,
      [stage.tenant, step * GRANTS_A_STEP, GRANTS_A_STEP],
    );
    const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
      [users.map(() => stage.tenant), users, users.map(() => 1), users.map(() => 2)],
    );
    const [{ Plan: plan }] = rows[0]!['QUERY PLAN'];
    expect(plan['Actual Rows']).toBe(WANTED);
    pages.push(plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!);
  }
  expect(pages.filter((read) => read > WANTED * PAGES_A_GRANT)).toEqual([]);
});
