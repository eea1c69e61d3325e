import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '../../../src/contracts/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { hold } from '../../support/hold.js';
import { createTestDatabase, type TestDatabase } from '../../support/services.js';
import { access, API, RAS } from '../../support/stage.js';
import { until } from './kafka-fixture.js';

const BATCH = 'application/cloudevents-batch+json';
const EVENTS_A_POST = 240;
const CLIENTS = 96;
/** A post of about 2 MB: what all clients hold together is three times what the door lets in. */
const PADDING = 'x'.repeat(8_000);
/** Bound on the growth of memory by the admitted bodies and everything made of them. */
const MAX_GROWTH_BYTES = 600 * 1024 * 1024;

let database: TestDatabase;
let home: string;
let service: ChildProcess;
let url: string;
const keys: string[] = [];

const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  database = await createTestDatabase();
  cleanups.push(() => database.drop());
  home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  const env = {
    ...process.env,
    RESCIND_HOME: home,
    PORT: '0',
    DATABASE_URL: database.url,
    KAFKA_BROKERS: 'none',
    LOG_LEVEL: 'info',
  };
  service = spawn(process.execPath, [resolve('dist/cli/rescind.js'), 'serve'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanups.push(async () => {
    const gone = once(service, 'exit');
    service.kill('SIGTERM');
    await gone;
  });
  url = await listening(service);
  const admin = createRescindAdmin(url, (await readFile(join(home, 'admin-key'), 'utf8')).trim());
  await admin.post('/v1/sources', {
    name: 'chat',
    uri: `${RAS}/chat`,
    types: ['access.allowed'],
    issuers: [RAS],
    resources: [API],
  });
  for (const id of ['one', 'two', 'three']) {
    keys.push(
      (await admin.post<{ secret: string }>('/v1/callers', { id, roles: { emit: { sources: ['chat'] } } })).secret,
    );
  }
  keys.push((await admin.post<{ secret: string }>('/v1/callers', { id: 'mute', roles: { audit: {} } })).secret);
});

/** The address that the service says it listens on. */
function listening({ stdout, stderr }: ChildProcess): Promise<string> {
  return new Promise((found) => {
    for (const stream of [stdout!, stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        const said = /http:\/\/127\.0\.0\.1:\d+/.exec(chunk.toString())?.[0];
        if (said !== undefined) found(said);
      });
    }
  });
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${service.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) * 1024;
}

const holdHead = (): Promise<() => Promise<void>> => hold(database.pool, 'SELECT FROM ledger_head FOR UPDATE');

async function post(
  body: string,
  { key = keys[0]!, type = BATCH, encoding = 'identity' }: { key?: string; type?: string; encoding?: string } = {},
): Promise<{ status: number; headers: Headers; body: any }> {
  const response = await fetch(new URL('/events', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': type, 'content-encoding': encoding },
    body,
  });
  const { status, headers } = response;
  return { status, headers, body: await response.json() };
}

const used = (id: string): CloudEvent =>
  buildEvent('access.allowed', { source: `${RAS}/chat`, id, data: access({ path: `/${PADDING}` }) }) as CloudEvent;
const batch = (name: string): string =>
  JSON.stringify(Array.from({ length: EVENTS_A_POST }, (_, n) => used(`${name}-${n}`)));
const answers = async (status: string): Promise<number> => {
  const metrics = await (await fetch(new URL('/metrics', url))).text();
  return Number(
    new RegExp(`^rescind_ingest_http_requests_total{status="${status}"} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0,
  );
};

describe('while the database stores nothing', () => {
  it('clients are told to come back, memory stays bounded, and no accepted event is lost', async () => {
    await post(JSON.stringify([used('first')]));
    const letGo = await holdHead();
    const before = await residentBytes();
    let peak = 0;
    const watching = setInterval(() => {
      void residentBytes().then((now) => (peak = Math.max(peak, now - before)));
    }, 50);
    const accepted: string[] = [];
    let refused = 0;
    let released = false;
    const client = async (n: number): Promise<void> => {
      const name = `c${n}`;
      for (;;) {
        const body = batch(name);
        const answer = await post(body, { key: keys[n % 3]! });
        if (answer.status === 200) {
          accepted.push(...answer.body.map((_: unknown, at: number) => `${name}-${at}`));
          expect(answer.body.every(({ index }: { index?: string }) => index !== undefined)).toBe(true);
          return;
        }
        expect(answer).toMatchObject({ status: 429, body: { code: 'overloaded' } });
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        refused += 1;
        await until(() => released);
      }
    };
    const clients = Array.from({ length: CLIENTS }, (_, n) => client(n));
    await until(() => refused > CLIENTS / 3);
    expect(accepted).toEqual([]);
    await letGo();
    released = true;
    await Promise.all(clients);
    clearInterval(watching);

    expect(peak).toBeLessThan(MAX_GROWTH_BYTES);
    expect(accepted).toHaveLength(CLIENTS * EVENTS_A_POST);
    const [stored] = (
      await database.pool.query<{ n: number; dense: boolean }>(
        `SELECT count(*)::int AS n, max(ix) + 1 = (SELECT next_ix FROM ledger_head h WHERE h.tenant = e.tenant) AS dense FROM entry e
       WHERE type = 'dev.rescind.access.allowed.v1' GROUP BY tenant`,
      )
    ).rows;
    expect(stored!.n).toBe(CLIENTS * EVENTS_A_POST + 1);
    await until(async () => (await answers('429')) === refused && (await answers('200')) === CLIENTS + 1);
    expect((await post(JSON.stringify([used('last')]))).status).toBe(200);
  }, 90_000);

  it('one caller leaves room for the others', async () => {
    const letGo = await holdHead();
    const greedy = Array.from({ length: 30 }, (_, n) => post(batch(`g${n}`)));
    let refused = false;
    for (const one of greedy) void one.then(({ status }) => (refused ||= status === 429));
    await until(() => refused);
    const modest = post(JSON.stringify([used('modest')]), { key: keys[1]! });
    await letGo();
    expect((await modest).status).toBe(200);
    await Promise.all(greedy);
  });
});

describe('answers are counted by status', () => {
  it.each<[status: number, () => Promise<{ status: number }>]>([
    [200, () => post('[]')],
    [401, () => post('[]', { key: 'rsk_nobody' })],
    [403, () => post('[]', { key: keys[3]! })],
    [413, () => post(`[${' '.repeat(4 * 1024 * 1024)}]`)],
    [415, () => post('[]', { type: 'text/csv' })],
    [415, () => post('[]', { encoding: 'gzip' })],
  ])('%i', async (status, ask) => {
    const before = await answers(String(status));
    expect((await ask()).status).toBe(status);
    await until(async () => (await answers(String(status))) === before + 1);
  });
});
