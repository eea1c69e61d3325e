import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { metricsWith } from '../../support/metrics.js';
import { createTestDatabase, testLog, type TestDatabase } from '../../support/services.js';
import { listFiles, MANY_SEGMENTS_MS } from './archive-fixture.js';

let database: TestDatabase;
let home: string;
let rescind: RunningRescind;

const environment = () => ({
  RESCIND_HOME: home,
  ARCHIVE_DIR: join(home, 'elsewhere'),
  PORT: '0',
  DATABASE_URL: database.url,
  KAFKA_BROKERS: 'none',
  LOG_LEVEL: 'silent',
});

beforeAll(async () => {
  database = await createTestDatabase();
  home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  rescind = await startRescind(readConfig(environment()), { log: testLog() });
});
afterAll(async () => {
  await rescind.stop();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

async function rescindSays(...args: string[]): Promise<{ readonly code: number; readonly text: string }> {
  let text = '';
  const out = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const code = await run(args, { env: environment(), out, err: out, stdin: Readable.from([]) });
  return { code, text };
}

it(
  'a service archives what has closed, says how far behind it is, and its files can be made anew beside it',
  async () => {
    // The first start has written entries of its own. Their day is over.
    const { pool } = database;
    for (;;) {
      const { rows } = await pool.query('UPDATE entry SET arrival = arrival - 86400000::bigint RETURNING tenant');
      if (rows.length > 0) break;
      await delay(50);
    }
    const parquet = async (): Promise<readonly string[]> =>
      (await listFiles(join(home, 'elsewhere')).catch(() => [])).filter((path) => path.endsWith('.parquet'));
    while ((await pool.query('SELECT FROM archive_file')).rowCount === 0) await delay(50);
    expect((await parquet()).length).toBeGreaterThanOrEqual(6);
    expect(await metricsWith(rescind.url, /^rescind_archive_lag_seconds 0$/m)).toMatch(
      /^rescind_archive_lag_seconds 0$/m,
    );

    const [one] = await parquet();
    await rm(one!);
    const rebuilt = await rescindSays('rebuild', 'archive');
    expect(rebuilt).toMatchObject({ code: 0, text: expect.stringContaining('missing') });
    expect(await parquet()).toContain(one);
    expect(await rescindSays('rebuild', 'archive', '--json')).toMatchObject({
      code: 0,
      text: expect.stringContaining('"segments":0'),
    });
    expect((await rescindSays('rebuild', 'archives')).text).toContain('archive');
  },
  MANY_SEGMENTS_MS,
);
