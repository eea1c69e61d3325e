import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import type { RunningRescind } from '../../../src/main.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import type { TestDatabase } from '../../support/services.js';

describe('rescind emit --rate', () => {
  let database: TestDatabase;
  let home: string;
  let rescind: RunningRescind;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    ({ rescind, database, home } = await startOwnRescind(cleanups));
  });

  async function rescindSays(...words: readonly string[]) {
    const written = { out: '', err: '' };
    const sink = (name: 'out' | 'err') =>
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          written[name] += chunk.toString();
          done();
        },
      });
    const env = { RESCIND_HOME: home, RESCIND_URL: rescind.url };
    const code = await run(words, { env, out: sink('out'), err: sink('err'), stdin: Readable.from(['']) });
    return { code, ...written };
  }

  it('registers the parties once, and has every event acknowledged', async () => {
    for (let round = 0; round < 4; round++) {
      const { code, out, err } = await rescindSays('emit', '--rate', '100', '--for', '1', '--register', '--json');
      expect([code, err]).toEqual([0, '']);
      expect(JSON.parse(out.trim().split('\n').at(-1)!)).toMatchObject({
        sent: 100,
        acknowledged: 100,
        refused: 0,
        dropped: 0,
        waiting: 0,
      });
    }
    const { rows } = await database.pool.query<{ n: string }>('SELECT count(*) AS n FROM access');
    expect(Number(rows[0]!.n)).toBeGreaterThan(200);
    const { out } = await rescindSays('caller', 'show', 'trial-emitter', '--json');
    expect(JSON.parse(out)).toMatchObject({ roles: { emit: expect.anything() }, secrets: [] });
  });

  it('registers nothing unless told to, and says what is refused', async () => {
    const { code, out, err } = await rescindSays('emit', '--rate', '50', '--for', '1');
    expect([code, err]).toEqual([1, expect.stringContaining('events were not delivered')]);
    expect(out).toMatch(/^ +\d+\.\d s {2}.*\(forbidden\)$/m);
  });

  it.each([
    [['--rate', '0'], 'a whole number above 0, not 0'],
    [['--for', '5'], '--for and --register go with --rate'],
    [['events.json', '--rate', '5'], 'name no file'],
  ])('refuses %j', async (words, message) => {
    expect(await rescindSays('emit', ...words)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });
});
