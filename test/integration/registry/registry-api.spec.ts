import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type ListenConfig } from '../../../src/platform/config/index.js';
import { createHttpApp, listenHttp } from '../../../src/platform/http/index.js';
import { ADMIN_KEY_FILE, RegistryModule, createAuthenticator, createIdentify } from '../../../src/registry/index.js';
import { testLog } from '../../support/services.js';
import { CHAT_SOURCE, IDP_SOURCE, startControl, type ControlFixture } from './control-fixture.js';

@Module({})
class RootModule {
  readonly name = 'root';
}
const LISTEN: ListenConfig = { host: '127.0.0.1', port: 0, trustedProxy: false };

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}

describe('the registry over HTTP', () => {
  let control: ControlFixture;
  let app: NestFastifyApplication;
  let url: string;
  let adminKey: string;

  beforeAll(async () => {
    control = await startControl();
    adminKey = (await readFile(join(control.home, ADMIN_KEY_FILE), 'utf8')).trim();
    const identify = createIdentify(createAuthenticator({ state: () => control.follower.state }));
    const module = { module: RootModule, imports: [RegistryModule.with({ registry: control.registry, identify })] };
    app = await createHttpApp({ module, listen: LISTEN, log: testLog() });
    url = await listenHttp(app, LISTEN);
  });
  afterAll(async () => {
    await app.close();
    await control.stop();
  });

  async function call(
    method: string,
    path: string,
    body?: unknown,
    key: string | undefined = adminKey,
  ): Promise<Answer> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  it('walks a source through its life', async () => {
    const created = await call('POST', '/v1/sources', IDP_SOURCE);
    expect(created).toMatchObject({ status: 201, body: { name: 'idp', topic: 'rescind.events.idp' } });
    expect((await call('GET', '/v1/sources/idp')).body).toEqual(created.body);
    expect((await call('GET', `/v1/sources/${created.body.id}`)).body).toEqual(created.body);
    expect((await call('GET', '/v1/sources')).body).toEqual({ sources: [created.body] });
    const { name: _, uri: __, ...update } = IDP_SOURCE;
    expect(await call('PUT', '/v1/sources/idp', { ...update, profile: { skew: 60 } })).toMatchObject({
      status: 200,
      body: { profile: { skew: 60 } },
    });
    expect(await call('POST', '/v1/sources/idp/disable')).toMatchObject({ status: 200, body: { disabled: true } });
    expect(await call('POST', '/v1/sources', IDP_SOURCE)).toMatchObject({
      status: 409,
      body: { code: 'already-exists' },
    });
    expect(await call('GET', '/v1/sources/nobody')).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });

  it.each([
    ['of a product’s profile', { profile: { preset: 'entra' } }],
    [
      'that must sign',
      {
        signature: 'required',
        jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kid: 'k-1' }] },
      },
    ],
    ['that is disabled', {}],
  ])('takes back its own answer about a source %s', async (what, over) => {
    const name = `again-${what.length}`;
    await call('POST', '/v1/sources', { ...IDP_SOURCE, name, uri: `urn:${name}`, ...over });
    if (what === 'that is disabled') await call('POST', `/v1/sources/${name}/disable`);
    const { body } = await call('GET', `/v1/sources/${name}`);
    expect(await call('PUT', `/v1/sources/${name}`, body)).toEqual(expect.objectContaining({ status: 200, body }));
    for (const member of ['id', 'tenant', 'name', 'uri', 'audience'])
      expect(await call('PUT', `/v1/sources/${name}`, { ...body, [member]: 'other' })).toMatchObject({
        status: 400,
        body: { code: 'inconsistent-request', detail: expect.stringContaining(`\`${member}\``) },
      });
  });

  it('walks a caller through its life', async () => {
    await call('POST', '/v1/sources', CHAT_SOURCE);
    const created = await call('POST', '/v1/callers', {
      id: 'chat',
      roles: { emit: { sources: ['chat'] }, audit: {} },
    });
    expect(created.status).toBe(201);
    expect(created.headers.get('cache-control')).toBe('no-store');
    const { secret, ...caller } = created.body;
    expect((await call('GET', '/v1/callers/chat')).body).toEqual(caller);
    const second = await call('POST', '/v1/callers/chat/secrets');
    expect(second).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^rsk_/) } });
    expect(await call('POST', '/v1/callers/chat/secrets', {})).toMatchObject({
      status: 409,
      body: { code: 'too-many-secrets' },
    });
    expect(await call('DELETE', `/v1/callers/chat/secrets/${caller.secrets[0].id}`)).toMatchObject({ status: 200 });
    expect(await call('GET', '/v1/sources', undefined, secret)).toMatchObject({ status: 401 });
    expect(await call('GET', '/v1/sources', undefined, second.body.secret)).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
    expect(await call('PUT', '/v1/callers/chat', { roles: { audit: {} } })).toMatchObject({
      status: 200,
      body: { roles: { audit: {} } },
    });
    expect(await call('POST', '/v1/callers/chat/disable')).toMatchObject({ status: 200, body: { disabled: true } });
    const everything = JSON.stringify((await call('GET', '/v1/callers')).body);
    for (const hidden of [secret, second.body.secret, adminKey, 'sha256']) expect(everything).not.toContain(hidden);
  });

  it('creates tenants only for the default tenant', async () => {
    const created = await call('POST', '/v1/tenants', { name: 'globex' });
    expect(created).toMatchObject({ status: 201, body: { name: 'globex', admin: { id: 'globex-admin' } } });
    const { secret } = created.body.admin;
    expect((await call('GET', '/v1/sources', undefined, secret)).body).toEqual({ sources: [] });
    expect(await call('POST', '/v1/tenants', { name: 'initech' }, secret)).toMatchObject({ status: 403 });
    expect((await call('GET', '/v1/tenants', undefined, secret)).body.tenants).toHaveLength(1);
    expect(await call('GET', '/v1/tenants/default', undefined, secret)).toMatchObject({ status: 404 });
  });

  it.each(['/v1/tenants', '/v1/sources', '/v1/callers', '/v1/callers/admin'])(
    'says nothing about %s without a key',
    async (path) => {
      for (const key of ['', 'rsk_wrong']) {
        const answer = await call('GET', path, undefined, key);
        expect(answer).toMatchObject({
          status: 401,
          body: { code: 'unauthenticated', type: 'https://rescind.dev/problems/unauthenticated' },
        });
        expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      }
    },
  );

  it('refuses a body that is no object', async () => {
    expect(await call('POST', '/v1/sources')).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(await call('POST', '/v1/sources', [])).toMatchObject({ status: 400 });
    expect(await call('POST', '/v1/callers', { id: 'a', roles: { root: {} } })).toMatchObject({
      status: 400,
      body: { detail: '`roles` has an unknown member: root' },
    });
  });

  it('describes itself', () => {
    const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    expect(Object.keys(paths).sort()).toEqual([
      '/v1/callers',
      '/v1/callers/{id}',
      '/v1/callers/{id}/disable',
      '/v1/callers/{id}/secrets',
      '/v1/callers/{id}/secrets/{secretId}',
      '/v1/sources',
      '/v1/sources/{id}',
      '/v1/sources/{id}/disable',
      '/v1/tenants',
      '/v1/tenants/{id}',
    ]);
    expect(JSON.stringify(paths['/v1/sources']!.post!.requestBody)).toContain('jwks_uri');
  });
});
