import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { MIGRATIONS } from '../../../src/migrations.js';
import { runMigrations } from '../../../src/platform/postgres/index.js';
import { SETTING_ENTITIES } from '../../../src/settings/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/services.js';

const SCHEMA = readFileSync(new URL('../../../src/settings/migrations/schema.sql', import.meta.url), 'utf8');

let database: TestDatabase;
let source: DataSource;
beforeAll(async () => {
  database = await createTestDatabase();
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
  source = await new DataSource({
    type: 'postgres',
    url: database.url,
    entities: SETTING_ENTITIES,
    installExtensions: false,
  }).initialize();
});
afterAll(async () => {
  await source.destroy();
  await database.drop();
});

/** Statements by which TypeORM would make the tables as the entities say. It plans them, and runs none. */
const planned = async (): Promise<string[]> =>
  (await source.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query);

describe('the entities of settings', () => {
  it('are as `schema.sql` makes their tables', async () => {
    expect(await planned()).toEqual([]);
  });

  it('are one for each table of `schema.sql`', () => {
    const made = [...SCHEMA.matchAll(/^CREATE TABLE (\w+)/gm)].map(([, table]) => table);
    expect(source.entityMetadatas.map(({ tableName }) => tableName).sort()).toEqual(made.sort());
  });

  it.each([
    'ALTER TABLE directory ADD COLUMN later text',
    'ALTER TABLE directory DROP COLUMN team',
    'ALTER TABLE directory ALTER COLUMN tags DROP NOT NULL',
    'ALTER TABLE directory RENAME COLUMN owner TO keeper',
    'ALTER TABLE directory ALTER COLUMN owner SET NOT NULL',
    'ALTER TABLE directory ALTER COLUMN parts DROP NOT NULL',
    'ALTER TABLE directory ALTER COLUMN updated_at TYPE integer',
    'ALTER TABLE directory ALTER COLUMN kind TYPE integer',
    'DROP INDEX directory_emails; ALTER TABLE directory ALTER COLUMN emails TYPE text',
    `ALTER TABLE directory ALTER COLUMN updated_by SET DEFAULT ''`,
    'ALTER TABLE directory DROP CONSTRAINT directory_pkey',
    'ALTER TABLE directory DROP CONSTRAINT directory_pkey, ADD PRIMARY KEY (tenant, key)',
    'ALTER TABLE finding_change ALTER COLUMN entry SET NOT NULL',
    'ALTER TABLE detection_change ALTER COLUMN entry SET NOT NULL',
  ])('are told apart from a table after %s', async (change) => {
    await source.query(change);
    try {
      expect(await planned()).not.toEqual([]);
    } finally {
      await source.query('DROP TABLE directory, finding_change, detection_change');
      await source.query(SCHEMA);
    }
    expect(await planned()).toEqual([]);
  });
});
