import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createEngine, type Engine } from '../../../src/explore/engine/engine.js';
import { composeExplore } from '../../../src/explore/question/compose.js';
import { readExploreQuestion } from '../../../src/explore/question/read-question.js';
import { testLog } from '../../support/services.js';

/** Rows that no machine joins in the time that a query has. */
const ENDLESS = 'SELECT count(*) FROM range(10000000000) a, range(1000) b';
const USES = '7|100|100|7|1|2|||4||[1,2]|1|1|200|5|6|00000000-0000-4000-8000-000000000000|00ff|1|3|\n';

let home: string;
let own: string;
let others: string;
let engine: Engine;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'rescind-explore-engine-'));
  own = join(home, 'own');
  others = join(home, 'others');
  await Promise.all([mkdir(own), mkdir(others)]);
  await writeFile(join(own, 'uses.csv'), USES);
  await writeFile(join(others, 'uses.csv'), USES);
  engine = createEngine({ log: testLog(), queryTimeoutMs: 60_000, memory: '100MB' });
  await engine.open('room', [own]);
});
afterEach(async () => {
  await engine.stop();
  await rm(home, { recursive: true });
});

const run = (sql: string) => engine.run('room', { sql, values: [] });

describe('what a database of the engine may open', () => {
  it('reads the directory of its own tenant', async () => {
    expect(await run(`SELECT count(*)::INTEGER FROM read_csv('${own}/uses.csv', delim = '|', header = false)`)).toEqual(
      [[1]],
    );
  });

  it.each<[string, (at: { own: string; others: string }) => string]>([
    ['another tenant’s file', ({ others: at }) => `SELECT * FROM read_text('${at}/uses.csv')`],
    ['another tenant’s file by a way back', ({ own: at }) => `SELECT * FROM read_text('${at}/../others/uses.csv')`],
    ['a directory that begins like its own', ({ own: at }) => `SELECT * FROM read_text('${at}-other/uses.csv')`],
    ['all files', () => "SELECT * FROM glob('/**')"],
    ['a file of the machine', () => "SELECT * FROM read_text('/etc/passwd')"],
    ['a file beside the directory, to write', ({ others: at }) => `COPY (SELECT 1) TO '${at}/x.csv'`],
    ['another database', ({ others: at }) => `ATTACH '${at}/x.db'`],
    ['an extension', () => 'INSTALL httpfs'],
    ['an address', () => "SELECT * FROM read_text('http://127.0.0.1:1/x')"],
    ['its own configuration', () => 'SET enable_external_access = true'],
    ['the bounds of its memory', () => "SET memory_limit = '100GB'"],
  ])('does not open %s', async (_what, sql) => {
    await expect(run(sql({ own, others }))).rejects.toMatchObject({ name: 'RescindError' });
  });
});

describe('the process of the engine', () => {
  it('has no environment, so no password of the service', async () => {
    expect(
      (await readFile(`/proc/${engine.pid}/environ`, 'utf8'))
        .split('\0')
        .filter((line) => /^(?:DATABASE|PG|KAFKA|RESCIND)/.test(line)),
    ).toEqual([]);
    await expect(run("SELECT getenv('DATABASE_URL')")).rejects.toMatchObject({ name: 'RescindError' });
  });

  it('stops computing when the question is cancelled, and answers the next one', async () => {
    const left = new AbortController();
    const endless = engine.run('room', { sql: ENDLESS, values: [] }, left.signal);
    const first = engine.pid;
    await run('SELECT 1');
    left.abort();
    await expect(endless).rejects.toMatchObject({ name: 'AbortError' });
    expect([await run('SELECT 42'), engine.pid]).toEqual([[[42]], first]);
  });

  it('gives up a query after its time', async () => {
    const hasty = createEngine({ log: testLog(), queryTimeoutMs: 50 });
    try {
      await hasty.open('room', [own]);
      await expect(hasty.run('room', { sql: ENDLESS, values: [] })).rejects.toMatchObject({ code: 'filter-too-wide' });
    } finally {
      await hasty.stop();
    }
  });

  it('refuses what needs more memory than it has, and answers the next question', async () => {
    await expect(run('SELECT list(range) FROM range(100000000)')).rejects.toMatchObject({ code: 'filter-too-wide' });
    expect(await run('SELECT 42')).toEqual([[42]]);
  });

  it('fails the questions under way when it dies, and is started again by the next one', async () => {
    const endless = engine.run('room', { sql: ENDLESS, values: [] });
    const first = engine.pid!;
    await run('SELECT 1');
    process.kill(first, 'SIGKILL');
    await expect(endless).rejects.toMatchObject({ code: 'engine-unavailable' });
    await engine.open('room', [own]);
    expect(await run('SELECT 42')).toEqual([[42]]);
    expect([engine.pid === first, engine.incarnation]).toEqual([false, 2]);
  });
});

describe('the tail', () => {
  it('is loaded whole or not at all', async () => {
    await writeFile(join(own, 'broken.csv'), 'no|number\n');
    expect(await engine.load('room', { uses: join(own, 'uses.csv'), late: null, trim: null })).toBe(1);
    await expect(
      engine.load('room', { uses: join(own, 'uses.csv'), late: join(own, 'broken.csv'), trim: null }),
    ).rejects.toMatchObject({
      name: 'RescindError',
    });
    expect(await run('SELECT ix::INTEGER, scopes, hex(tok), records::INTEGER, bytes, agent FROM tail_uses')).toEqual([
      [7, [1, 2], '00FF', 3, null, null],
    ]);
    expect(await engine.load('room', { uses: null, late: null, trim: 8n })).toBe(0);
  });

  it('is read from the archive’s end on: a use below it, which another question still holds, is in a segment', async () => {
    await engine.load('room', { uses: join(own, 'uses.csv'), late: null, trim: null });
    const calls = (end: bigint) =>
      engine.run(
        'room',
        composeExplore(
          {
            index: 20n,
            at: 1_000,
            window: { from: 0, to: 1_000 },
            conditions: [],
            sources: { whole: [], cut: [], late: [], end, lookups: {} },
          },
          readExploreQuestion({}),
          undefined,
        ),
      );
    expect([await calls(7n), await calls(8n)]).toEqual([[[1n, 1n]], [[0n, 1n]]]);
  });

  it('keeps what became known behind the archive’s end when it gives up a use', async () => {
    // The use 7 became known with entry 9, the use 8 with itself.
    await writeFile(
      join(own, 'late-uses.csv'),
      USES.replace('|7|1|2|', '|9|1|2|') + USES.replace(/^7/, '8').replace('|7|1|2|', '|8|1|2|'),
    );
    await engine.load('room', { uses: join(own, 'late-uses.csv'), late: null, trim: null });
    expect(await engine.load('room', { uses: null, late: null, trim: 9n })).toBe(0);
    expect(await run('SELECT ix::INTEGER, bound_ix::INTEGER, usr FROM tail_late')).toEqual([[7, 9, 1]]);
    await engine.load('room', { uses: null, late: null, trim: 10n });
    expect(await run('SELECT ix FROM tail_late')).toEqual([]);
  });
});
