import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { ADMIN_KEY_FILE } from '../../../src/registry/index.js';
import { createMigratedDatabase, testLog, type TestDatabase } from '../../support/services.js';

const CERT_FILE = fileURLToPath(new URL('./tls/localhost-cert.pem', import.meta.url));
const cert = readFileSync(CERT_FILE, 'utf8');
const key = readFileSync(new URL('./tls/localhost-key.pem', import.meta.url), 'utf8');
const signing = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig' };
const encryption = {
  ...generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey.export({ format: 'jwk' }),
  kid: 'two',
  use: 'enc',
  alg: 'RSA-OAEP',
};
const JWKS = { keys: [encryption, signing] };
const serve: RequestListener = (_, res) => void res.end(JSON.stringify(JWKS));
const ISSUER = 'https://ras.example';
const source = (more: object): object => ({
  name: 'ras',
  uri: ISSUER,
  types: ['token.revoked'],
  issuers: [ISSUER],
  ...more,
});

describe('the key set of a source, by the service’s configuration', () => {
  let database: TestDatabase;
  let home: string;
  let rescind: RunningRescind | undefined;
  const servers: Server[] = [];
  beforeEach(async () => {
    database = await createMigratedDatabase();
    home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  });
  afterEach(async () => {
    await rescind?.stop();
    rescind = undefined;
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    await database.drop();
    await rm(home, { recursive: true, force: true });
  });

  async function start(env: Record<string, string>): Promise<void> {
    const config = readConfig({
      RESCIND_HOME: home,
      PORT: '0',
      DATABASE_URL: database.url,
      KAFKA_BROKERS: 'none',
      LOG_LEVEL: 'silent',
      ...env,
    });
    rescind = await startRescind(config, { log: testLog() });
  }

  async function listen(server: Server): Promise<number> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  async function call(method: string, path: string, body?: object): Promise<{ status: number; body: any }> {
    const adminKey = (await readFile(join(home, ADMIN_KEY_FILE), 'utf8')).trim();
    const response = await fetch(`${rescind!.url}/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${adminKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  it('may be served over http by an allowed loopback host, and by no other', async () => {
    await start({ JWKS_ALLOWED_HOSTS: '127.0.0.1,keys.internal' });
    const port = await listen(createHttpServer(serve));
    for (const host of ['localhost', '127.0.0.2', 'keys.internal']) {
      const refused = await call('POST', 'sources', source({ jwks_uri: `http://${host}:${port}/jwks` }));
      expect(refused).toMatchObject({
        status: 400,
        body: { code: 'invalid-jwks', detail: expect.stringContaining('JWKS_ALLOWED_HOSTS') },
      });
    }
    expect(await call('POST', 'sources', source({ jwks_uri: `http://127.0.0.1:${port}/jwks` }))).toMatchObject({
      status: 201,
    });
    expect((await call('GET', 'sources/ras/check')).body.keys).toEqual({ from: 'jwks_uri', usable: 1 });
  });

  it.each([
    ['verifies by the authority of JWKS_TLS_CA', { JWKS_TLS_CA: CERT_FILE }, 1],
    ['does not verify without it', {}, 0],
  ])('%s', async (_, env, usable) => {
    await start({ JWKS_ALLOWED_HOSTS: 'localhost', ...env });
    const port = await listen(createHttpsServer({ cert, key }, serve));
    expect(await call('POST', 'sources', source({ jwks_uri: `https://localhost:${port}/jwks` }))).toMatchObject({
      status: 201,
    });
    expect((await call('GET', 'sources/ras/check')).body.keys).toEqual({ from: 'jwks_uri', usable });
  });

  it('is registered as a server publishes it, and keeps the keys that verify', async () => {
    await start({});
    expect(await call('POST', 'sources', source({ jwks: JWKS }))).toMatchObject({ status: 201 });
    expect((await call('GET', 'sources/ras')).body.jwks).toEqual({ keys: [signing] });
    expect((await call('GET', 'sources/ras/check')).body.keys).toEqual({ from: 'inline', usable: 1 });
  });

  it('lets a start fail if JWKS_TLS_CA holds no certificate', async () => {
    const file = join(home, 'ca.pem');
    await writeFile(file, 'nothing of the kind');
    await expect(start({ JWKS_TLS_CA: file })).rejects.toMatchObject({
      code: 'config-invalid',
      detail: expect.stringContaining('JWKS_TLS_CA'),
    });
  });
});
