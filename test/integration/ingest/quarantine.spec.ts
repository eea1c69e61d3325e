import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import type { CloudEvent } from '../../../src/contracts/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import { keepQuarantineBounded, trimQuarantine } from '../../../src/ingest/index.js';
import type { RunningRescind } from '../../../src/main.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import { testLog, type TestDatabase } from '../../support/services.js';
import { API, RAS, token } from '../../support/stage.js';
import { until } from './kafka-fixture.js';

let database: TestDatabase;
let home: string;
let service: RunningRescind;
const keys: Record<string, string> = {};

const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  ({ rescind: service, database, home } = await startOwnRescind(cleanups));
  keys['admin'] = service.adminKey!;
  await call('admin', 'POST', '/v1/sources', CHAT);
  keys['emitter'] = (
    await call('admin', 'POST', '/v1/callers', { id: 'emitter', roles: { emit: { sources: ['chat'] } } })
  ).body.secret;
  keys['auditor'] = (await call('admin', 'POST', '/v1/callers', { id: 'auditor', roles: { audit: {} } })).body.secret;
  keys['globex'] = (await call('admin', 'POST', '/v1/tenants', { name: 'globex' })).body.admin.secret;
});

const CHAT = {
  name: 'chat',
  uri: `${RAS}/chat`,
  types: ['token.issued', 'access.allowed'],
  issuers: [RAS],
  resources: [API],
};

async function call(
  who: string,
  method: string,
  path: string,
  body?: unknown,
  type = 'application/json',
): Promise<{ status: number; body: any }> {
  const response = await fetch(new URL(path, service.url), {
    method,
    headers: { authorization: `Bearer ${keys[who]}`, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

const emit = (event: CloudEvent | string) => call('emitter', 'POST', '/events', event, 'application/cloudevents+json');
const inQuarantine = async (filter = ''): Promise<any[]> =>
  (await call('admin', 'GET', `/v1/quarantine${filter}`)).body.items;
const newest = async (filter = ''): Promise<any> => (await inQuarantine(filter))[0];
const entries = async (): Promise<number> =>
  (await database.pool.query(`SELECT 1 FROM entry WHERE type LIKE 'dev.rescind.token.%'`)).rowCount!;

let count = 0;
const issued = (over: Parameters<typeof token>[0] = {}, source = CHAT.uri): CloudEvent => {
  count += 1;
  return buildEvent('token.issued', {
    source,
    id: `q-${count}`,
    data: token({ jti: `q-${count}`, ...over }),
  }) as CloudEvent;
};
const FILES = 'https://files.chat.example';
const updateChat = (over: object) =>
  call('admin', 'PUT', '/v1/sources/chat', {
    types: CHAT.types,
    issuers: CHAT.issuers,
    resources: CHAT.resources,
    ...over,
  });

describe('a refused record, replayed', () => {
  it('stays with its reason until the cause is gone, then is stored as it came and leaves quarantine', async () => {
    const event = issued({ aud: [FILES] });
    const bytes = JSON.stringify(event, null, 1);
    expect(await emit(bytes)).toMatchObject({ status: 400, body: { error: 'wrong-resource' } });
    const kept = await newest();
    expect(kept).toMatchObject({
      code: 'wrong-resource',
      whole: true,
      mode: 'structured',
      replayed_at: null,
      text: bytes,
    });

    const again = await call('admin', 'POST', `/v1/quarantine/${kept.id}/replay`);
    expect(again).toMatchObject({ status: 200, body: { id: kept.id, error: 'wrong-resource' } });
    expect((await call('auditor', 'GET', `/v1/quarantine/${kept.id}`)).body).toEqual({
      ...kept,
      replayed_at: expect.any(String),
    });

    await updateChat({ resources: [API, FILES] });
    const stored = await call('admin', 'POST', `/v1/quarantine/${kept.id}/replay`);
    expect(stored).toMatchObject({ status: 200, body: { id: kept.id, state: 'sequenced', index: expect.any(String) } });
    expect(await call('auditor', 'GET', `/v1/quarantine/${kept.id}`)).toMatchObject({ status: 404 });
    expect(await call('admin', 'POST', `/v1/quarantine/${kept.id}/replay`)).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
    const payload = await database.pool.query<{ bytes: Buffer }>('SELECT bytes FROM payload WHERE ix = $1', [
      stored.body.index,
    ]);
    expect(payload.rows[0]!.bytes.toString()).toBe(bytes);
    expect(await emit(event)).toMatchObject({ status: 200, body: { duplicate: true, index: stored.body.index } });
    await updateChat({});
  });

  it('is a duplicate if its source has sent it again meanwhile, and leaves too', async () => {
    const event = issued({ aud: [FILES] });
    await emit(event);
    const { id } = await newest();
    await updateChat({ resources: [API, FILES] });
    const { index } = (await emit(event)).body;
    expect(await call('admin', 'POST', `/v1/quarantine/${id}/replay`)).toMatchObject({
      body: { id, duplicate: true, index },
    });
    expect(await call('auditor', 'GET', `/v1/quarantine/${id}`)).toMatchObject({ status: 404 });
    await updateChat({});
  });

  it('is stored once if it is replayed twice at the same time', async () => {
    for (let n = 0; n < 20; n += 1) await emit(issued({ aud: [FILES] }));
    await updateChat({ resources: [API, FILES] });
    const before = await entries();
    const replay = () => call('admin', 'POST', '/v1/quarantine/replay', { code: 'wrong-resource' });
    await Promise.all([replay(), replay(), replay()]);
    expect(await entries()).toBe(before + 20);
    expect(await inQuarantine('?code=wrong-resource')).toEqual([]);
    await updateChat({});
  });

  it.each<[what: string, (event: CloudEvent) => unknown]>([
    [
      'a token was masked',
      (event) => ({
        ...event,
        data: { ...(event.data as object), path: `eyJhbGciOiJSUzI1NiJ9.${'a'.repeat(40)}.${'b'.repeat(40)}` },
      }),
    ],
    ['it was cut', (event) => ({ ...event, subject: 'x'.repeat(70 * 1024) })],
  ])('is left alone and says so if %s', async (_what, spoil) => {
    await emit(JSON.stringify(spoil(issued())));
    const kept = await newest();
    expect(kept.whole).toBe(false);
    const { body } = await call('admin', 'POST', `/v1/quarantine/${kept.id}/replay`);
    expect(body).toEqual({ id: kept.id, error: kept.code, detail: expect.stringMatching(/not whole/) });
    expect((await call('admin', 'POST', '/v1/quarantine/replay', { code: kept.code })).body).toEqual({ items: [] });
  });

  it('is refused if its caller may not emit any more', async () => {
    await emit(issued({ aud: [FILES] }));
    const { id } = await newest();
    await updateChat({ resources: [API, FILES] });
    await call('admin', 'PUT', '/v1/callers/emitter', { roles: { audit: {} } });
    expect((await call('admin', 'POST', `/v1/quarantine/${id}/replay`)).body).toMatchObject({
      id,
      error: 'source-not-allowed',
    });
    await call('admin', 'PUT', '/v1/callers/emitter', { roles: { emit: { sources: ['chat'] } } });
    expect((await call('admin', 'POST', `/v1/quarantine/${id}/replay`)).body).toMatchObject({ id, state: 'sequenced' });
    await updateChat({});
  });

  it('goes with others oldest first, a page a call', async () => {
    for (let n = 0; n < 5; n += 1) await emit(issued({ iss: 'https://nobody.example' }));
    const first = await call('admin', 'POST', '/v1/quarantine/replay', { code: 'wrong-issuer', limit: 3 });
    const second = await call('admin', 'POST', '/v1/quarantine/replay', {
      code: 'wrong-issuer',
      limit: 3,
      after: first.body.next,
    });
    const ids = [...first.body.items, ...second.body.items].map(({ id }) => Number(id));
    expect([first.body.items.length, second.body.items.length, second.body.next]).toEqual([3, 2, undefined]);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });
});

describe('the operator’s part', () => {
  it('has the records of no registered source, for administrators of the tenant default alone', async () => {
    await emit(issued({}, 'urn:late'));
    expect((await inQuarantine()).some(({ code }) => code === 'unknown-source')).toBe(false);
    const kept = await newest('?operator=true');
    expect(kept).toMatchObject({ code: 'unknown-source', source: null });
    for (const who of ['globex', 'auditor']) {
      expect(await call(who, 'GET', '/v1/quarantine?operator=true')).toMatchObject({
        status: 403,
        body: { code: 'forbidden' },
      });
      expect(await call(who, 'GET', `/v1/quarantine/${kept.id}?operator=true`)).toMatchObject({ status: 403 });
      expect(await call(who, 'POST', `/v1/quarantine/${kept.id}/replay?operator=true`)).toMatchObject({ status: 403 });
      expect(await call(who, 'GET', `/v1/quarantine/${kept.id}`)).toMatchObject({ status: 404 });
    }
    await call('admin', 'POST', '/v1/sources', { ...CHAT, name: 'late', uri: 'urn:late' });
    await call('admin', 'PUT', '/v1/callers/emitter', { roles: { emit: { sources: ['chat', 'late'] } } });
    expect(
      (await call('admin', 'POST', '/v1/quarantine/replay?operator=true', { code: 'unknown-source' })).body.items,
    ).toContainEqual({
      id: kept.id,
      index: expect.any(String),
      state: 'sequenced',
    });
  });

  it('has no records of another tenant', async () => {
    await emit(issued({ aud: [FILES] }));
    const { id } = await newest();
    expect(await call('globex', 'GET', `/v1/quarantine/${id}`)).toMatchObject({ status: 404 });
    expect(await call('globex', 'POST', `/v1/quarantine/${id}/replay`)).toMatchObject({ status: 404 });
    expect((await call('globex', 'POST', '/v1/quarantine/replay', {})).body).toEqual({ items: [] });
  });

  it.each([
    ['/v1/quarantine/x/replay', undefined, 404],
    ['/v1/quarantine/99999999999999999999/replay', undefined, 404],
    ['/v1/quarantine/replay', { limit: 0 }, 400],
    ['/v1/quarantine/replay', { code: 'no-such-code' }, 400],
    ['/v1/quarantine/replay', { sorce: 'x' }, 400],
    ['/v1/quarantine/replay?operator=maybe', {}, 400],
  ])('%s with %j answers %i', async (path, body, status) => {
    expect(await call('admin', 'POST', path, body)).toMatchObject({ status });
    expect(await call('auditor', 'POST', path, body)).toMatchObject({ status: 403 });
  });
});

describe('rescind quarantine', () => {
  it('lists, shows and replays', async () => {
    await emit(issued({ aud: [FILES] }));
    const { id } = await newest();
    expect((await rescindSays(`quarantine list --code wrong-resource`)).out).toMatch(
      new RegExp(`^${id} .*wrong-resource`, 'm'),
    );
    expect((await rescindSays(`quarantine show ${id}`)).out).toMatch(/^whole +true$/m);
    expect((await rescindSays(`quarantine replay ${id}`)).out).toMatch(/^error +wrong-resource$/m);
    await updateChat({ resources: [API, FILES] });
    expect(await rescindSays('quarantine replay --all --code wrong-resource')).toMatchObject({
      code: 0,
      out: expect.stringMatching(new RegExp(`^${id} .*sequenced`, 'm')),
    });
    expect(await rescindSays('quarantine replay')).toMatchObject({ code: 2 });
    await updateChat({});
  });

  async function rescindSays(args: string): Promise<{ code: number; out: string }> {
    let out = '';
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        out += chunk.toString();
        done();
      },
    });
    const env = { RESCIND_HOME: home, RESCIND_URL: service.url };
    return { code: await run(args.split(' '), { env, out: sink, err: sink, stdin: Readable.from([]) }), out };
  }
});

describe('the bounds', () => {
  const spoilt = (n: number): Promise<unknown> =>
    emit(JSON.stringify({ ...issued({}, 'urn:nobody'), subject: `${n}-${'x'.repeat(400)}` }));
  const kept = async (): Promise<number[]> =>
    (
      await database.pool.query<{ n: string }>(
        `SELECT split_part(convert_from(bytes, 'UTF8')::jsonb->>'subject', '-', 1) AS n FROM quarantine WHERE convert_from(bytes, 'UTF8') LIKE '%xxx%' AND size < 5000 ORDER BY id`,
      )
    ).rows.map(({ n }) => Number(n));

  it('drop and count the oldest records when the room is used up', async () => {
    await database.pool.query('DELETE FROM quarantine');
    for (let n = 0; n < 10; n += 1) await spoilt(n);
    expect(await trimQuarantine(database.pool, { days: 7, bytes: 10_000_000 })).toBe(0);
    expect(await trimQuarantine(database.pool, { days: 7, bytes: 6_000 })).toBeGreaterThan(2);
    const left = await kept();
    expect(left.length).toBeGreaterThan(2);
    expect(left).toEqual(Array.from({ length: left.length }, (_, at) => 10 - left.length + at));
  });

  it('belong to each tenant: a flood of one drops nothing of another’s, and nothing of the operator’s', async () => {
    await database.pool.query('DELETE FROM quarantine');
    await spoilt(0);
    const fill = (tenant: string, rows: number): Promise<unknown> =>
      database.pool.query(
        `INSERT INTO quarantine (tenant, code, detail, door, mode, size, headers, bytes, whole, digest)
         SELECT $1, 'invalid-data', '', 'http', 'batch', 600, '', decode(repeat('00', 600), 'hex'), false, '' FROM generate_series(1, $2)`,
        [tenant, rows],
      );
    const [flooding, quiet] = ['f0000000-0000-4000-8000-000000000000', 'a0000000-0000-4000-8000-000000000000'];
    await fill(quiet, 2);
    await fill(flooding, 30);
    expect(await trimQuarantine(database.pool, { days: 7, bytes: 6_000 })).toBe(20);
    const left = await database.pool.query(
      'SELECT tenant, count(*)::int AS kept FROM quarantine GROUP BY tenant ORDER BY tenant',
    );
    expect(left.rows).toEqual([
      { tenant: quiet, kept: 2 },
      { tenant: flooding, kept: 10 },
      { tenant: null, kept: 1 },
    ]);
  });

  it('drop records older than the allowed days, and do not count them', async () => {
    await database.pool.query('DELETE FROM quarantine');
    for (let n = 0; n < 3; n += 1) await spoilt(n);
    await database.pool.query(
      `UPDATE quarantine SET at = now() - interval '8 days' WHERE id = (SELECT min(id) FROM quarantine)`,
    );
    expect(await trimQuarantine(database.pool, { days: 7, bytes: 10_000_000 })).toBe(0);
    expect(await kept()).toEqual([1, 2]);
  });

  it('are enforced by the running process, at once when much is written', async () => {
    await database.pool.query('DELETE FROM quarantine');
    for (let n = 0; n < 6; n += 1) await spoilt(n);
    const metrics = createMetrics();
    const keeper = keepQuarantineBounded({
      pool: database.pool,
      log: testLog(),
      metrics,
      bounds: { days: 7, bytes: 3_000 },
      everyMs: 3_600_000,
    });
    const rejected = { arrived: { bytes: Buffer.alloc(1_000) } };
    keeper.tell([{ rejected, offset: undefined } as never]);
    await until(async () => (await metrics.text()).match(/^rescind_quarantine_dropped_total [1-9]/m) !== null);
    expect((await kept()).at(-1)).toBe(5);
    keeper.stop();
  });
});
