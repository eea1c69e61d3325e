import { timeText } from '../../../src/contracts/index.js';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadModule } from 'libpg-query';
import { DataSource, type Logger } from 'typeorm';
import { MIGRATIONS } from '../../../src/migrations.js';
import { isDatabaseUnavailable, runMigrations } from '../../../src/platform/postgres/index.js';
import { SETTING_ENTITIES } from '../../../src/settings/index.js';
import { DirectoryService } from '../../../src/settings/directory/directory.service.js';
import { StoredEntry } from '../../../src/settings/directory/stored-entry.entity.js';
import { parseSql } from '../../architecture/sql-texts.js';
import { unboundTables } from '../../architecture/tenant-conditions.js';
import { createMigratedDatabase, type TestDatabase } from '../../support/services.js';

const IDP = 'https://idp.example';
const ANN = { id: 'ann', tenant: '0aaaaaaa-0000-4000-8000-000000000000' };
const BOB = { id: 'bob', tenant: '0bbbbbbb-0000-4000-8000-000000000000' };
const FROM_IDP = { iss: IDP };

let now = 1_790_000_000;
let database: TestDatabase;
let source: DataSource;
let directory: DirectoryService;
const sent: string[] = [];
const heard = new Proxy({} as Logger, {
  get: (_, name) => (name === 'logQuery' ? (query: string) => void sent.push(query) : () => undefined),
});

beforeAll(async () => {
  await loadModule();
  database = await createMigratedDatabase();
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
  source = await new DataSource({
    type: 'postgres',
    url: database.url,
    entities: SETTING_ENTITIES,
    installExtensions: false,
    applicationName: 'settings-spec',
    logger: heard,
    extra: { max: 4 },
  }).initialize();
  const keys = new Map([ANN, BOB].map(({ tenant }, nth) => [tenant, Buffer.alloc(32, nth)]));
  const facts = { tenantKey: (tenant: string) => keys.get(tenant)!, now: () => now };
  directory = new DirectoryService(source.getRepository(StoredEntry), facts);
});
afterAll(async () => {
  await source.destroy();
  await database.drop();
});
beforeEach(async () => {
  await database.pool.query('TRUNCATE directory');
  sent.length = 0;
});

const csv = (...ids: readonly string[]): Buffer =>
  Buffer.from(['kind,iss,id,owner', ...ids.map((id) => `agent,${IDP},${id},Owner of ${id}`)].join('\n'));
const importCsv = (...ids: readonly string[]) => directory.importFile(ANN, csv(...ids), 'text/csv');
const many = (count: number): string[] => Array.from({ length: count }, (_, nth) => `agent-${nth}`);
const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await delay(20);
};
const stored = async (): Promise<number> =>
  Number((await database.pool.query<{ n: string }>('SELECT count(*) AS n FROM directory')).rows[0]!.n);

describe('the directory', () => {
  it('keeps time and caller of an entry that is put again as it is', async () => {
    const put = (writer: typeof ANN) => directory.put(writer, 'agent', 'seven', FROM_IDP, { owner: 'Dora' });
    const first = await put(ANN);
    now += 60;
    expect(await put({ ...ANN, id: 'other' })).toEqual(first);
    expect(await directory.put(ANN, 'agent', 'seven', FROM_IDP, { owner: 'Eve' })).toMatchObject({
      updated_at: timeText(now),
    });
    const csvOfIt = Buffer.from(`kind,iss,id,owner\nagent,${IDP},seven,Eve`);
    now += 60;
    expect(await directory.importFile(BOB, csvOfIt, 'text/csv')).toMatchObject({ created: 1, unchanged: 0 });
    expect(await directory.importFile(ANN, csvOfIt, 'text/csv')).toMatchObject({ created: 0, unchanged: 1 });
    expect(await directory.remove(ANN, 'agent', 'seven', FROM_IDP)).toMatchObject({ updated_at: timeText(now - 60) });
  });

  it('counts an entry of a file as changed if any of its columns says something else', async () => {
    const columns = ['display_name', 'user_name', 'emails', 'active'];
    const file = (values: readonly string[]): Buffer =>
      Buffer.from(`kind,iss,id,${columns.join(',')}\nuser,${IDP},dora,${values.join(',')}`);
    const owned = (owner: string, team: string, tags = ''): Buffer =>
      Buffer.from(`kind,iss,id,display_name,owner,team,tags\nagent,${IDP},seven,Seven,${owner},${team},${tags}`);
    const files = [
      file(['Dora', 'dora', 'dora@acme.example;d@acme.example', 'true']),
      file(['Dora D.', 'dora', 'dora@acme.example;d@acme.example', 'true']),
      file(['Dora D.', '', 'dora@acme.example;d@acme.example', 'true']),
      file(['Dora D.', '', 'd@acme.example', 'true']),
      file(['Dora D.', '', '', 'true']),
      file(['Dora D.', '', '', 'false']),
      file(['Dora D.', '', '', '']),
      owned('Eve', 'red'),
      owned('', 'red'),
      owned('', ''),
      owned('', '', 'sensitive'),
      owned('', '', 'sensitive;audited'),
      owned('', ''),
    ];
    for (const [nth, bytes] of files.entries()) {
      const first = [0, 7].includes(nth);
      const counts = { entries: 1, created: Number(first), changed: Number(!first), unchanged: 0 };
      expect(await directory.importFile(ANN, bytes, 'text/csv')).toEqual(counts);
      expect(await directory.importFile(ANN, bytes, 'text/csv')).toMatchObject({
        created: 0,
        changed: 0,
        unchanged: 1,
      });
    }
    const { rows } = await database.pool.query('SELECT * FROM directory ORDER BY kind');
    expect(rows).toMatchObject([
      {
        parts: [IDP, null, 'dora'],
        display_name: 'Dora D.',
        user_name: null,
        emails: [],
        active: null,
        updated_by: 'ann',
      },
      { parts: [IDP, 'seven'], display_name: 'Seven', owner: null, team: null, tags: [] },
    ]);
  });

  it('keeps the tags of an entry that is put without any, and takes them away by an empty list', async () => {
    const uri = 'https://payroll.example/api';
    const put = (body: object) => directory.put(ANN, 'resource', uri, {}, body);
    const importResource = (columns: string, values: string) =>
      directory.importFile(ANN, Buffer.from(`kind,id,owner,${columns}\nresource,${uri},${values}`), 'text/csv');
    const tags = async () =>
      (await database.pool.query<{ tags: string[] }>('SELECT tags FROM directory')).rows[0]!.tags;
    expect(await put({ tags: ['sensitive', 'audited', 'sensitive'] })).toMatchObject({
      kind: 'resource',
      iss: null,
      name: uri,
      tags: ['audited', 'sensitive'],
    });
    expect(await put({ owner: 'Carol' })).toMatchObject({ owner: 'Carol', tags: ['audited', 'sensitive'] });
    expect(await importResource('team', 'Dora,Finance')).toMatchObject({ changed: 1 });
    expect(await tags()).toEqual(['audited', 'sensitive']);
    expect(await importResource('team', 'Dora,Finance')).toMatchObject({ unchanged: 1 });
    expect(await importResource('tags', 'Dora,')).toMatchObject({ changed: 1 });
    expect(await tags()).toEqual([]);
    await put({ owner: 'Carol', tags: ['sensitive'] });
    expect(await put({ owner: 'Carol', tags: [] })).toMatchObject({ tags: [] });
    const user = { userName: 'ann', tags: ['vip'] };
    await directory.put(ANN, 'user', 'ann', FROM_IDP, user);
    expect(await directory.put(ANN, 'user', 'ann', FROM_IDP, { userName: 'ann' })).toMatchObject({ tags: ['vip'] });
  });

  it('names a tenant in each statement', async () => {
    await directory.put(ANN, 'agent', 'seven', FROM_IDP, { owner: 'Dora' });
    await importCsv('seven', 'eight');
    await directory.remove(ANN, 'agent', 'seven', FROM_IDP);
    const statements = sent.filter((text) => /\bdirectory\b/.test(text));
    expect(new Set(statements.map((text) => /^(?:--.*\n)*(\w+)/.exec(text)?.[1]))).toEqual(
      new Set(['SELECT', 'INSERT', 'DELETE']),
    );
    const unbound = statements.flatMap((text) =>
      parseSql(text)!.flatMap((statement) => unboundTables(statement, new Set(['directory']))),
    );
    expect(unbound).toEqual([]);
  });

  it('takes the largest file, whole', async () => {
    expect(await importCsv(...many(20_000))).toEqual({ entries: 20_000, created: 20_000, changed: 0, unchanged: 0 });
    expect(await importCsv(...many(20_000))).toEqual({ entries: 20_000, created: 0, changed: 0, unchanged: 20_000 });
    expect(await stored()).toBe(20_000);
  });

  it('stores nothing of a file that fails halfway', async () => {
    await database.pool.query(`ALTER TABLE directory ADD CONSTRAINT no_gus CHECK (owner <> 'Owner of gus')`);
    try {
      await expect(importCsv(...many(2_000), 'gus')).rejects.toMatchObject({ code: '23514' });
    } finally {
      await database.pool.query('ALTER TABLE directory DROP CONSTRAINT no_gus');
    }
    expect(await stored()).toBe(0);
    expect(await importCsv(...many(2_000), 'gus')).toMatchObject({ created: 2_001 });
  });

  it('takes files with the same entries at once, in any order', async () => {
    const names = many(3_000);
    await Promise.all([importCsv(...names), importCsv(...names.toReversed()), importCsv(...names)]);
    expect(await stored()).toBe(3_000);
  });
});

describe('a session that the server ends', () => {
  const ended = async (which = ''): Promise<void> => {
    await database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'settings-spec' ${which}`,
    );
  };

  it('under a statement makes the database unavailable, and the next one works', async () => {
    await importCsv('seven');
    const client = await database.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('LOCK TABLE directory IN ACCESS EXCLUSIVE MODE');
      const failing = importCsv('eight').then(
        () => undefined,
        (error: unknown) => error,
      );
      await until(async () => {
        const { rows } = await client.query(
          `SELECT 1 FROM pg_stat_activity WHERE application_name = 'settings-spec' AND wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      });
      // This one alone: the next statement must not meet another session before its end has been noticed.
      await ended(`AND wait_event_type = 'Lock'`);
      expect(isDatabaseUnavailable(await failing)).toBe(true);
      await client.query('ROLLBACK');
    } finally {
      client.release();
    }
    expect(await importCsv('eight')).toMatchObject({ created: 1 });
  });

  it('between two statements of a transaction makes the database unavailable', async () => {
    const runner = source.createQueryRunner();
    await runner.startTransaction();
    await ended();
    await until(() => runner.isReleased);
    const error = await runner.query('SELECT 1').catch((thrown: unknown) => thrown);
    expect(isDatabaseUnavailable(error)).toBe(true);
  });
});
