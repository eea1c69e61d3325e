import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { DuckDBInstance } from '@duckdb/node-api';
import { parseEventTime, parseEventType } from '../../contracts/index.js';
import { toOcsf } from '../../ocsf/index.js';
import { toParquet } from './to-parquet.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-it's-`));
});
afterEach(() => rm(directory, { recursive: true }));

/** Every sample of the contracts that has an OCSF form. */
function events(): object[] {
  const samples = new URL('../../contracts/samples/', import.meta.url);
  return readdirSync(samples)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file, nth) => {
      const { type, id, time, data } = JSON.parse(readFileSync(new URL(file, samples), 'utf8'));
      const said = {
        name: parseEventType(type)!,
        data,
        id,
        atMs: parseEventTime(time)!,
        arrivalMs: 1,
        index: BigInt(nth),
      };
      const user = { iss: 'https://idp.acme.example', tenant: 'acme', sub: 'u-1' };
      const client = { iss: 'https://login.chat.example', client_id: 'wiki-at-chat' };
      const about = { tenant: 'acme', source: 'chat', attribution: { user, client } };
      return toOcsf({ ...said, ...about } as never, { version: '0.1.0' }) ?? [];
    })
    .map((event) => JSON.parse(JSON.stringify(event)) as object);
}

async function read(path: string): Promise<unknown[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const rows = await connection.runAndReadAll(
    `SELECT to_json(row)::VARCHAR AS text FROM (SELECT * FROM read_parquet('${path.replaceAll("'", "''")}')) AS row`,
  );
  return rows.getRowObjects().map((row) => withoutNulls(JSON.parse(String(row['text']))));
}

/** A Parquet file has every column in every row. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, withoutNulls(member)]),
  );
}

it('a Parquet file has every member of every event, in their order', async () => {
  const [lines, parquet] = [join(directory, 'a.jsonl'), join(directory, 'a.parquet')];
  const written = events();
  expect(written.length).toBeGreaterThan(20);
  writeFileSync(lines, written.map((event) => `${JSON.stringify(event)}\n`).join(''));
  await toParquet(lines, parquet);
  expect(await read(parquet)).toEqual(written);
});

it('a window without events is a Parquet file without rows', async () => {
  const [lines, parquet] = [join(directory, 'a.jsonl'), join(directory, 'a.parquet')];
  writeFileSync(lines, '');
  await toParquet(lines, parquet);
  expect(await read(parquet)).toEqual([]);
});
