import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { CHANNEL_ENTITIES } from '../../../src/channels/index.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { runMigrations } from '../../../src/platform/postgres/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { createTestDatabase } from '../../support/services.js';

const SCHEMA = readFileSync(new URL('../../../src/channels/migrations/schema.sql', import.meta.url), 'utf8');

const cleanups = cleanUp(afterAll);
let source: DataSource;
beforeAll(async () => {
  const database = await createTestDatabase();
  cleanups.push(() => database.drop());
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
  source = await new DataSource({
    type: 'postgres',
    url: database.url,
    entities: CHANNEL_ENTITIES,
    installExtensions: false,
  }).initialize();
  cleanups.push(() => source.destroy());
});

/** Statements by which TypeORM would make the tables as the entities say. It plans them, and runs none. */
const planned = async (): Promise<string[]> =>
  (await source.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query);

describe('the entity of channels', () => {
  it('is as `schema.sql` makes its table', async () => {
    expect(SCHEMA).toContain('CREATE TABLE channel (');
    expect(await planned()).toEqual([]);
  });

  it.each([
    'ALTER TABLE channel DROP COLUMN secrets',
    'ALTER TABLE channel ALTER COLUMN kinds SET NOT NULL',
    'ALTER TABLE channel ALTER COLUMN severity TYPE integer',
  ])('is told apart from a table after %s', async (change) => {
    await source.query(change);
    expect(await planned()).not.toEqual([]);
  });
});
