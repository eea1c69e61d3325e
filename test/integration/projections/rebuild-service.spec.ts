import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { createTestDatabase, testLog, type TestDatabase } from '../../support/services.js';
import { access, API, fromChat, fromIdp, IDP, idJag, RAS, token } from '../../support/stage.js';

let database: TestDatabase;
let home: string;
let rescind: RunningRescind;
let emitKey: string;
let introspector: string;

const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  database = await createTestDatabase();
  cleanups.push(() => database.drop());
  home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  rescind = await startRescind(readConfig(environment()), { log: testLog() });
  cleanups.push(() => rescind.stop());
  const admin = createRescindAdmin(rescind.url, rescind.adminKey!);
  await admin.post('/v1/sources', {
    name: 'idp',
    uri: `${IDP}/events`,
    types: ['id-jag.issued'],
    issuers: [IDP],
    resources: [],
  });
  await admin.post('/v1/sources', {
    name: 'chat',
    uri: `${RAS}/events`,
    types: ['token.issued', 'access.allowed'],
    issuers: [RAS],
    resources: [API],
  });
  emitKey = (
    await admin.post<{ secret: string }>('/v1/callers', {
      id: 'emitter',
      roles: { emit: { sources: ['idp', 'chat'] } },
    })
  ).secret;
  const introspect = { resources: [API], issuers: [RAS] };
  introspector = `Basic ${btoa(`asker:${(await admin.post<{ secret: string }>('/v1/callers', { id: 'asker', roles: { introspect } })).secret}`)}`;
});

const environment = () => ({
  RESCIND_HOME: home,
  PORT: '0',
  DATABASE_URL: database.url,
  KAFKA_BROKERS: 'none',
  LOG_LEVEL: 'silent',
});

async function rescindSays(...args: string[]) {
  const written = { out: '', err: '' };
  const sink = (name: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written[name] += chunk.toString();
        done();
      },
    });
  const code = await run(args, { env: environment(), out: sink('out'), err: sink('err'), stdin: Readable.from([]) });
  return { code, ...written };
}

async function post(...events: object[]): Promise<void> {
  const headers = { authorization: `Bearer ${emitKey}`, 'content-type': 'application/cloudevents-batch+json' };
  const answers = (await (
    await fetch(`${rescind.url}/events`, { method: 'POST', headers, body: JSON.stringify(events) })
  ).json()) as readonly { state?: string }[];
  expect(answers.map(({ state }) => state)).toEqual(events.map(() => 'sequenced'));
}

async function isActive(text: string): Promise<boolean> {
  const headers = { authorization: introspector, 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(`${rescind.url}/introspect`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ token: text }),
  });
  return ((await response.json()) as { active: boolean }).active;
}

/** One lineage and its uses; its token is good at once, whatever else goes on. */
async function live(n: number): Promise<void> {
  const text = `token-${n}`;
  const sha256 = createHash('sha256').update(text).digest('base64url');
  await post(
    fromIdp('id-jag.issued', idJag({ jti: `gr-${n}` })),
    fromChat('token.issued', token({ jti: undefined, sha256, id_jag: { iss: IDP, jti: `gr-${n}`, sub: 'alice' } })),
  );
  expect(await isActive(text)).toBe(true);
  // A use that names no resource is of the one that its source has, as it has it then.
  await post(...Array.from({ length: 20 }, () => fromChat('access.allowed', access({ token: { sha256 } }))));
}

describe('`rescind rebuild`, beside a running service', () => {
  it('leaves no question without an answer, and finds no difference', async () => {
    for (let n = 0; n < 10; n += 1) await live(n);
    const lives = { going: true, lived: 10 };
    const living = (async () => {
      for (; lives.going; lives.lived += 1) await live(lives.lived);
    })();
    living.catch(() => undefined);
    const said = await rescindSays('rebuild', 'all', '--json');
    const wanted = lives.lived + 3;
    while (lives.lived < wanted) await Promise.race([living, delay(5)]);
    lives.going = false;
    await living;
    const { lived } = lives;
    expect({ ...said, out: '' }).toMatchObject({
      code: 0,
      err: expect.stringMatching(
        /^\[#+ *\] \d+ % {2}\d+ of \d+ events.*\nindexing …\ncomparing …\nswitching …\nverifying …\n$/s,
      ),
    });
    const answer = JSON.parse(said.out);
    expect(answer).toMatchObject({ switched: true, verified: true, erased: '0' });
    expect(answer.tables.every((table: any) => table.digest === table.rebuilt_digest)).toBe(true);
    const { rows } = await database.pool.query<{ n: string; bound: string }>(
      'SELECT count(*) AS n, count(bound_ix) AS bound FROM access',
    );
    expect(rows).toEqual([{ n: String(lived * 20), bound: String(lived * 20) }]);
  });

  it('describes the differences, and ends with 1', async () => {
    await database.pool.query('UPDATE token SET client = client + 1 WHERE ix = (SELECT min(ix) FROM token)');
    const said = await rescindSays('rebuild', 'tokens');
    expect(said).toMatchObject({
      code: 1,
      out: expect.stringMatching(
        /^token differs: 1 rows are only in the live table, 1 only in the rebuilt one\nNot switched/m,
      ),
    });
    expect(await rescindSays('rebuild', 'tokens', '--accept-difference')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Switched\.$/m),
    });
    expect(await rescindSays('rebuild', 'tokens')).toMatchObject({ code: 0 });
  });

  it('uses the resources that a source had at the time of each event', async () => {
    const admin = createRescindAdmin(rescind.url, rescind.adminKey!);
    const owed = async () =>
      (await database.pool.query('SELECT FROM control_outbox o, control_head h WHERE o.seq < h.seq')).rowCount! > 0;
    while (await owed()) await delay(10);
    const settings = (await admin.get<{ sources: any[] }>('/v1/sources')).sources.find(({ name }) => name === 'chat');
    const headers = { authorization: `Bearer ${rescind.adminKey!}`, 'content-type': 'application/json' };
    const body = JSON.stringify({
      types: settings.types,
      issuers: settings.issuers,
      resources: [API, 'https://files.chat.example'],
    });
    expect((await fetch(`${rescind.url}/v1/sources/chat`, { method: 'PUT', headers, body })).status).toBe(200);
    while (await owed()) await delay(10);
    // The source has two resources, so the use gets the resource of its token; nobody has issued this one.
    await post(
      fromChat(
        'access.allowed',
        access({ token: { sha256: createHash('sha256').update('nobody has issued it').digest('base64url') } }),
      ),
    );
    expect(
      (
        await database.pool.query(
          'SELECT count(*) FILTER (WHERE res IS NULL) AS unknown, count(res) > 0 AS known FROM access',
        )
      ).rows,
    ).toEqual([{ unknown: '1', known: true }]);
    expect(await rescindSays('rebuild', 'usage')).toMatchObject({ code: 0 });
  });

  it('reports wrong usage', async () => {
    expect(await rescindSays('rebuild', 'everything')).toEqual({
      code: 2,
      out: '',
      err: 'rescind: no projection is named `everything`; there are all, tokens, usage, grants, connections, edges, sessions, said, rules, sources, sequences, archive\n',
    });
    expect(await rescindSays('rebuild')).toMatchObject({ code: 2 });
    expect(await rescindSays('rebuild', 'sessions', '--shape', 'token')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^rescind: .*`token` is none of the rebuilt tables: session/s),
    });
  });
});
