import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { createLog } from '../../../src/platform/log/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { createTestDatabase, type TestDatabase } from '../../support/services.js';

const TLS = 'test/integration/registry/tls/localhost';

let database: TestDatabase;
let home: string;
let service: RunningRescind;
const logged: string[] = [];
const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  database = await createTestDatabase();
  cleanups.push(() => database.drop());
  home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  const env = {
    RESCIND_HOME: home,
    PORT: '0',
    DATABASE_URL: database.url,
    KAFKA_BROKERS: 'none',
    TLS_CERT: `${TLS}-cert.pem`,
    TLS_KEY: `${TLS}-key.pem`,
    MANAGEMENT_LISTEN: '127.0.0.1:0',
  };
  service = await startRescind(readConfig(env), {
    log: createLog({ level: 'info', destination: { write: (line) => logged.push(line) } }),
  });
  cleanups.push(() => service.stop());
}, 60_000);

const port = (): number => Number(new URL(service.url).port);
const lines = (): readonly Record<string, unknown>[] =>
  logged.map((line) => JSON.parse(line) as Record<string, unknown>);
const managementUrl = (): string =>
  String(lines().find(({ msg }) => msg === 'listening for /health and /metrics')!['url']);

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const ask = (
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: port(),
        path,
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
        rejectUnauthorized: false,
        agent: false,
      },
      (response) => {
        void text(response).then(
          (body) => resolve({ status: response.statusCode!, headers: response.headers, body }),
          reject,
        );
      },
    );
    sent.once('error', reject).end(options.body);
  });

/** Sends the bytes, then nothing more, and returns the answer. */
function answerTo(bytes: string): Promise<string> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port: port(), rejectUnauthorized: false }, () =>
    socket.write(bytes),
  );
  return new Promise((resolve, reject) =>
    socket.once('data', (data: Buffer) => resolve(data.toString())).once('error', reject),
  ).finally(() => socket.destroy()) as Promise<string>;
}

describe('before a caller is known', () => {
  it.each([
    ['POST /v1/revocations', 401, 'application/json'],
    ['POST /v1/revocations/preview', 401, 'text/plain'],
    ['PUT /v1/directory/users/alice', 401, 'application/json'],
    ['POST /v1/directory/import', 401, 'text/csv'],
    ['POST /%76%31/sources', 401, 'application/json'],
    ['POST /events', 401, 'application/json'],
    ['POST /nowhere', 404, 'application/json'],
    ['POST /v1/nowhere', 404, 'application/json'],
  ])('%s is answered with %i before its body has come', async (line, status, type) => {
    const answer = await answerTo(
      `${line} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 4000000\r\n\r\n`,
    );
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('no request writes a stack to the log, and lines of one kind are bounded', async () => {
    const before = logged.length;
    const once = async (): Promise<void> => {
      await ask('/v1/revocations', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' });
      await ask('/v1/sources', { headers: { authorization: 'Bearer rsk_none' } });
      await ask('/nowhere', { method: 'POST', headers: { 'content-type': 'application/xml' }, body: '<x/>' });
      await ask('/v1/%ff');
      await ask('/events', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' });
      await ask('/introspect', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' });
      await ask('/revoke', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'token=x&token=y',
      });
      await answerTo('NONSENSE\r\n\r\n').catch(() => '');
      // No TLS at all.
      const plain = connectPlain(port(), '127.0.0.1', () => plain.write('GET / HTTP/1.1\r\n\r\n'));
      await text(plain).catch(() => '');
    };
    for (let i = 0; i < 25; i += 1) await once();
    const written = lines().slice(before);
    expect(written.filter((line) => JSON.stringify(line).includes('    at '))).toEqual([]);
    expect(written.length).toBeLessThan(100);
  }, 60_000);

  it('a refused request of a caller writes a line without a stack', async () => {
    const before = logged.length;
    const answer = await ask('/v1/revocations', {
      method: 'POST',
      headers: { authorization: `Bearer ${service.adminKey!}`, 'content-type': 'text/plain' },
      body: 'x',
    });
    expect(answer.status).toBe(415);
    expect(logged.slice(before).join('')).not.toContain('    at ');
  });
});

describe('answers', () => {
  it('forbid guessing another content type, and demand TLS', async () => {
    for (const path of ['/openapi.json', '/v1/sources', '/nowhere']) {
      expect((await ask(path)).headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'strict-transport-security': 'max-age=15552000',
      });
    }
    for (const path of ['/introspect', '/revoke', '/health/ready'])
      expect((await ask(path)).headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
  });
});

describe('the management listener', () => {
  it('answers /health and /metrics in plaintext, and nothing else', async () => {
    expect((await fetch(`${managementUrl()}/metrics`)).status).toBe(200);
    expect(await (await fetch(`${managementUrl()}/health/ready`)).json()).toMatchObject({ role: 'serve', ready: true });
    expect((await fetch(`${managementUrl()}/health/ready/ingest`)).status).toBe(200);
    expect((await fetch(`${managementUrl()}/health/live`)).status).toBe(200);
    expect((await fetch(`${managementUrl()}/v1/sources`)).status).toBe(404);
    expect((await fetch(`${managementUrl()}/introspect`, { method: 'POST', body: 'token=x' })).status).toBe(404);
  });

  it('takes /metrics from the address of the service, which keeps /health for balancers', async () => {
    expect((await ask('/metrics')).status).toBe(404);
    expect((await ask('/health/ready')).status).toBe(200);
  });
});
