import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readProjections } from '../../fault/stored-projections.js';
import { createStage, type Stage } from '../../support/stage.js';
import { differing, readSchemas, readShape, rebuild, submitTraffic } from './rebuild-fixture.js';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
  await submitTraffic(stage, 20261127, 120);
});
afterAll(() => stage.stop());

const query = async <T extends object>(sql: string, values: unknown[] = []): Promise<T[]> => (await stage.database.pool.query<T>(sql, values)).rows;

describe('a rebuild', () => {
  it('makes the same rows from the ledger alone, and puts them in the place of the live ones', async () => {
    const before = { shape: await readShape(stage.database.pool), rows: await readProjections(stage.database.pool, stage.tenant), oid: await oidOf('token') };
    const rebuilt = await rebuild(stage);
    expect(differing(rebuilt)).toEqual({});
    expect(rebuilt).toMatchObject({ switched: true, verified: true, erased: 0n });
    expect(rebuilt.tables.find(({ table }) => table === 'access')!.rows).not.toBe('0');
    expect(await oidOf('token')).not.toBe(before.oid);
    expect(await readShape(stage.database.pool)).toEqual(before.shape);
    expect(await readProjections(stage.database.pool, stage.tenant)).toEqual(before.rows);
    expect(await readSchemas(stage.database.pool)).toEqual([]);
  });
});

const oidOf = async (table: string): Promise<number> => (await query<{ oid: number }>('SELECT $1::regclass::oid AS oid', [table]))[0]!.oid;
