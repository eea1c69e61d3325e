import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DuckDBInstance } from '@duckdb/node-api';
import { ACME, secretOf, startQueryApi } from '../query/history.js';
import { STORY } from '../query/story.js';
import { until } from '../feeds/topics-fixture.js';
import { createCli } from './cli-fixture.js';

const PROGRAM = fileURLToPath(new URL('../../../dist/cli/rescind.js', import.meta.url));
const COPIES = 40_000;
const OWN = STORY.flat().filter(({ source }) => source !== 'globex').length;

let api: Awaited<ReturnType<typeof startQueryApi>>;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  api = await startQueryApi(STORY);
  await copyEntry(3, COPIES);
}, 120_000);
afterAll(async () => {
  await api.stop();
  await rm(home, { recursive: true });
});

/** Writes one entry's payload under further indexes: a commitment does not contain the index. */
async function copyEntry(index: number, copies: number): Promise<void> {
  for (const table of ['entry', 'payload']) {
    const { rows } = await api.pool.query<{ name: string }>(
      `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'ix'`,
      [table],
    );
    const others = rows.map(({ name }) => `"${name}"`).join(', ');
    await api.pool.query(
      `INSERT INTO ${table} (ix, ${others}) SELECT n, ${others} FROM ${table}, generate_series($3::bigint, $4::bigint) n WHERE tenant = $1 AND ix = $2`,
      [ACME, index, OWN, OWN + copies - 1],
    );
  }
  await api.pool.query('UPDATE ledger_head SET next_ix = $2 WHERE tenant = $1', [ACME, OWN + copies]);
}

const sequencesOf = (path: string): number[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { metadata: { sequence: number } }).metadata.sequence);
const indexes = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, nth) => from + nth);

describe('rescind export ocsf', () => {
  const says: ReturnType<typeof createCli> = (args, options) =>
    createCli(home)(args, { url: api.url, key: secretOf('acme-audit'), ...options });

  it('killed at any point, goes on without a doubled or missing event', async () => {
    const path = join(home, 'all.jsonl');
    const run = () =>
      spawn(process.execPath, [PROGRAM, 'export', 'ocsf', '-o', path], {
        env: { ...process.env, RESCIND_URL: api.url, RESCIND_KEY: secretOf('acme-audit'), RESCIND_HOME: home },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    const size = (): number => (existsSync(`${path}.part`) ? statSync(`${path}.part`).size : 0);
    for (const bytes of [1, 2_000_000, 9_000_000]) {
      const child = run();
      const exited = once(child, 'exit');
      await until('some of it is written', () => size() > bytes || child.exitCode !== null);
      child.kill('SIGKILL');
      await exited;
      expect(existsSync(path)).toBe(false);
    }
    const child = run();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(sequencesOf(path)).toEqual(indexes(0, OWN + COPIES));
    expect([existsSync(`${path}.part`), existsSync(`${path}.resume`)]).toEqual([false, false]);
  }, 240_000);

  it('refuses a second run into the same file, which the first one goes on with', async () => {
    const path = join(home, 'twice.jsonl');
    const run = () =>
      spawn(process.execPath, [PROGRAM, 'export', 'ocsf', '-o', path], {
        env: { ...process.env, RESCIND_URL: api.url, RESCIND_KEY: secretOf('acme-audit'), RESCIND_HOME: home },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    const first = run();
    const exited = once(first, 'exit');
    await until('some of it is written', () => existsSync(`${path}.part`) && statSync(`${path}.part`).size > 1);
    first.kill('SIGSTOP');
    const second = run();
    let said = '';
    second.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
    expect(await once(second, 'close')).toEqual([2, null]);
    expect(said).toContain(`process ${first.pid} writes ${path} now: wait for it, or name another file`);
    first.kill('SIGCONT');
    expect(await exited).toEqual([0, null]);
    expect(sequencesOf(path)).toEqual(indexes(0, OWN + COPIES));
    expect((await readdir(home)).filter((file) => file.startsWith('twice'))).toEqual(['twice.jsonl']);
  }, 240_000);

  it('writes a window, shows how far it is, and goes on with the same window alone', async () => {
    const path = join(home, 'window.jsonl');
    const done = await says(`export ocsf --to 2001-01-01 -o ${path}`);
    expect(done).toMatchObject({ code: 0, out: `${path} is written\n` });
    expect(readFileSync(path, 'utf8')).toBe('');

    const begun = join(home, 'begun.jsonl');
    const plan = { url: api.url, format: 'jsonl', from: null, to: null, first: '5', before: '9' };
    await writeFile(`${begun}.resume`, JSON.stringify(plan));
    expect(await says(`export ocsf --from 7d -o ${begun}`)).toMatchObject({
      code: 2,
      err: expect.stringContaining('was begun with from unset'),
    });
    expect(await says(`export ocsf -o ${begun}`)).toMatchObject({
      code: 0,
      err: expect.stringContaining('4 of 4 events'),
    });
    expect(sequencesOf(begun)).toEqual([5, 6, 7, 8]);
  });

  it('writes Parquet, which is the same events in columns', async () => {
    const path = join(home, 'all.parquet');
    expect(await says(`export ocsf --format parquet -o ${path}`)).toMatchObject({ code: 0 });
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const rows = await connection.runAndReadAll(
      `SELECT count(*)::INTEGER AS n, count(DISTINCT metadata.sequence)::INTEGER AS entries, max(actor."user".uid) FILTER (metadata.sequence = 3) AS who FROM read_parquet('${path}')`,
    );
    expect(rows.getRowObjects()).toEqual([{ n: OWN + COPIES, entries: OWN + COPIES, who: 'alice' }]);
    expect((await readdir(home)).filter((file) => file.startsWith('all.parquet'))).toEqual(['all.parquet']);
  }, 120_000);

  it('has exit codes for a file that is there, a bad time and a missing right', async () => {
    const path = join(home, 'mine.jsonl');
    await writeFile(path, 'mine');
    expect((await says(`export ocsf -o ${path}`)).code).toBe(2);
    expect(readFileSync(path, 'utf8')).toBe('mine');
    const other = join(home, 'other.jsonl');
    expect((await says(`export ocsf --from yesterday -o ${other}`)).code).toBe(1);
    expect((await says(`export ocsf -o ${other}`, { key: secretOf('acme-emit') })).code).toBe(5);
    expect((await says('export ocsf')).code).toBe(2);
    expect([existsSync(other), existsSync(`${other}.part`), existsSync(`${other}.resume`)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
