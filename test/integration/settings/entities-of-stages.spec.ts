import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { CHANNEL_ENTITIES } from '../../../src/channels/index.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { runMigrations } from '../../../src/platform/postgres/index.js';
import { WEB_ENTITIES } from '../../../src/web/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { createTestDatabase } from '../../support/services.js';

const cleanups = cleanUp(afterAll);
let source: DataSource;
beforeAll(async () => {
  const database = await createTestDatabase();
  cleanups.push(() => database.drop());
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
  source = await new DataSource({
    type: 'postgres',
    url: database.url,
    entities: [...CHANNEL_ENTITIES, ...WEB_ENTITIES],
    installExtensions: false,
  }).initialize();
  cleanups.push(() => source.destroy());
});

/** Statements by which TypeORM would make the tables as the entities say. It plans them, and runs none. */
const planned = async (): Promise<string[]> =>
  (await source.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query);

describe('the entities of channels and views', () => {
  it('are as the stages make their tables', async () => {
    expect(source.entityMetadatas.map(({ tableName }) => tableName).sort()).toEqual(['channel', 'saved_view']);
    expect(await planned()).toEqual([]);
  });

  it.each([
    'ALTER TABLE channel DROP COLUMN secrets',
    'ALTER TABLE channel ALTER COLUMN kinds SET NOT NULL',
    'ALTER TABLE channel ALTER COLUMN severity TYPE integer',
    'ALTER TABLE saved_view DROP COLUMN search',
    'ALTER TABLE saved_view ALTER COLUMN shared DROP NOT NULL',
    'ALTER TABLE saved_view ALTER COLUMN updated_at TYPE integer',
    'DROP INDEX saved_view_name',
  ])('are told apart from a table after %s', async (change) => {
    const before = await planned();
    await source.query(change);
    expect(await planned()).not.toEqual(before);
  });
});
