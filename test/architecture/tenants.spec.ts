import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadModule } from 'libpg-query';
import { filesUnder, read } from './source-tree.js';
import { HOLE_NAME, parseSql, sqlTexts, type SqlText } from './sql-texts.js';
import { tenantTables, unboundTables } from './tenant-conditions.js';
import { TENANT_EXCEPTIONS } from './tenant-exceptions.js';

const EQUAL_TENANTS = /(?:\w+\.)?\btenant = (?:\$\d+|\w+\.tenant)/g;
/** More than half of what there are, so that a collector that misses a folder fails. */
const LEAST_TEXTS = 150;
const LEAST_CONDITIONS = 250;

let tables: Set<string>;
let texts: SqlText[];

beforeAll(async () => {
  await loadModule();
  const migrations = filesUnder('src').filter((file) => /\/migrations\/[^/]+\.sql$/.test(file));
  tables = tenantTables(migrations.flatMap((file) => parseSql(read(file)) ?? []));
  // A hole in place of a table may be any of them.
  texts = sqlTexts(tables);
  tables.add(HOLE_NAME);
});

/** Tables of a text that nothing ties to a tenant; undefined if the text cannot be read. */
const unboundIn = (text: string): string[] | undefined =>
  parseSql(text)?.flatMap((statement) => unboundTables(statement, tables).map(({ table }) => table));

const isExcepted = (file: string, table: string): boolean =>
  TENANT_EXCEPTIONS.some((exception) => exception.file === file && exception.tables.includes(table));

describe('a query is of one tenant', () => {
  it('knows the tables by the migrations', () => {
    expect(
      [
        'entry',
        'payload',
        'token',
        'grant_version',
        'source_sequence',
        'directory',
        'control_log',
        'quarantine',
      ].filter((table) => !tables.has(table)),
    ).toEqual([]);
    expect(['kafka_offset', 'node', 'control_outbox'].filter((table) => tables.has(table))).toEqual([]);
  });

  it('each SQL text is read', () => {
    expect(texts.length).toBeGreaterThan(LEAST_TEXTS);
    expect(texts.filter(({ text }) => parseSql(text) === undefined)).toEqual([]);
  });

  it('each table with a tenant has its condition, or is excepted', () => {
    const found = texts.flatMap(({ file, text }) => unboundIn(text)!.map((table) => ({ file, table })));
    expect(found.filter(({ file, table }) => !isExcepted(file, table))).toEqual([]);
  });

  it('each exception is needed', () => {
    const found = new Set(texts.flatMap(({ file, text }) => unboundIn(text)!.map((table) => `${file} ${table}`)));
    const named = TENANT_EXCEPTIONS.flatMap(({ file, tables: those }) => those.map((table) => `${file} ${table}`));
    expect(named.filter((one) => !found.has(one))).toEqual([]);
  });
});

describe('a condition that is taken out', () => {
  const without = (file: string, condition: string): string[] | undefined => {
    const text = read(file);
    expect(text).toContain(condition);
    return unboundIn(text.replace(condition, 'true'));
  };

  it.each([
    ['src/query/lists/entry.sql', 'e.tenant = $1', ['entry']],
    ['src/query/lists/entry.sql', 'p.tenant = $1', ['payload']],
    ['src/query/graph/users.sql', 'tenant = $1', ['grant_version']],
    ['src/query/lists/sequences.sql', 'tenant = $1', ['source_sequence']],
  ])('%s without %s is found', (file, condition, missing) => {
    expect(without(file, condition)).toEqual(missing);
  });

  it('is found in every text, wherever it stood', () => {
    let taken = 0;
    const missed: string[] = [];
    for (const { file, text } of texts.filter(
      ({ file: name }) =>
        !name.includes('/migrations/') && !TENANT_EXCEPTIONS.some((exception) => exception.file === name),
    )) {
      for (const { 0: condition, index } of text.matchAll(EQUAL_TENANTS)) {
        taken += 1;
        const cut = `${text.slice(0, index)}true${text.slice(index + condition.length)}`;
        if ((unboundIn(cut) ?? []).length === 0) missed.push(`${file}: ${condition}`);
      }
    }
    expect(taken).toBeGreaterThan(LEAST_CONDITIONS);
    // These join steps of the statement with each other; each step has its own condition.
    expect(missed).toEqual([
      'src/projections/grants/write-users.sql: b.tenant = n.tenant',
      'src/projections/grants/write-users.sql: b.tenant = f.tenant',
    ]);
  });
});

describe('conditions are told apart', () => {
  it.each([
    ['SELECT 1 FROM entry WHERE tenant = $1', []],
    ['SELECT 1 FROM entry', ['entry']],
    ['SELECT 1 FROM entry WHERE tenant <> $1', ['entry']],
    ['SELECT 1 FROM entry WHERE tenant = $1 OR ix = $2', ['entry']],
    ['SELECT 1 FROM entry WHERE (tenant = $1 AND ix = 1) OR (tenant = $1 AND ix = 2)', []],
    ['SELECT 1 FROM entry WHERE NOT (tenant = $1)', ['entry']],
    ['SELECT 1 FROM entry e JOIN payload p USING (tenant, ix)', ['entry', 'payload']],
    ['SELECT 1 FROM entry e JOIN payload p USING (tenant, ix) WHERE e.tenant = $1', []],
    ['SELECT 1 FROM entry e JOIN payload p ON p.ix = e.ix WHERE e.tenant = $1', ['payload']],
    ['SELECT 1 FROM entry e LEFT JOIN payload p ON (p.tenant, p.ix) = (e.tenant, e.ix) WHERE e.tenant = $1', []],
    ['SELECT 1 FROM unnest($1::uuid[]) s (tenant) JOIN entry e ON e.tenant = s.tenant', []],
    ['SELECT (SELECT 1 FROM payload) FROM entry WHERE tenant = $1', ['payload']],
    ['SELECT 1 FROM entry WHERE tenant = $1 UNION ALL SELECT 1 FROM payload', ['payload']],
    ['WITH entry AS (SELECT 1 FROM payload WHERE tenant = $1) SELECT 1 FROM entry', []],
    ['UPDATE token SET usr = 1 WHERE key = $1', ['token']],
    ['UPDATE token t SET usr = s.usr FROM session s WHERE s.tenant = $1 AND t.tenant = s.tenant', []],
    ['DELETE FROM token WHERE tenant = $1', []],
    ['INSERT INTO directory (kind) VALUES (1)', ['directory']],
    ['INSERT INTO directory (tenant, kind) SELECT tenant, 1 FROM entity', ['entity']],
  ])('%s', (text, missing) => {
    expect(unboundIn(text)).toEqual(missing);
  });
});
