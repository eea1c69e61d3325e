import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type ListenConfig } from '../../../src/platform/config/index.js';
import { createHttpApp, listenHttp } from '../../../src/platform/http/index.js';
import { RegistryModule, createAuthenticator, createIdentify } from '../../../src/registry/index.js';
import { RevocationModule, createRevocations } from '../../../src/revocation/index.js';
import { testLog } from '../../support/services.js';
import { IDP_SOURCE, startControl, type ControlFixture } from '../registry/control-fixture.js';

@Module({})
class RootModule {
  readonly name = 'root';
}
const LISTEN: ListenConfig = { host: '127.0.0.1', port: 0, trustedProxy: false };
const IDP = IDP_SOURCE.issuers[0]!;

describe('/v1/revocations', () => {
  let control: ControlFixture;
  let app: NestFastifyApplication;
  let url: string;
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    control = await startControl();
    const { registry, follower, controlLog, database } = control;
    await registry.createSource(control.admin, IDP_SOURCE);
    const roles = {
      analyst: { revoke: { tenant: true } },
      narrow: { revoke: { issuers: [IDP], resources: [] } },
      auditor: { audit: {} },
      emitter: { emit: { sources: ['idp'] } },
    };
    for (const [id, role] of Object.entries(roles))
      keys[id] = (await registry.createCaller(control.admin, { id, roles: role })).secret;
    const identify = createIdentify(createAuthenticator({ state: () => follower.state }));
    const revocations = createRevocations({ controlLog, follower, pool: database.pool });
    const imports = [RegistryModule.with({ registry, identify }), RevocationModule.with({ revocations })];
    app = await createHttpApp({ module: { module: RootModule, imports }, listen: LISTEN, log: testLog() });
    url = await listenHttp(app, LISTEN);
  });
  afterAll(async () => {
    await app.close();
    await control.stop();
  });

  async function call(
    caller: string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) {
    const response = await fetch(`${url}/v1/revocations${path}`, {
      method,
      headers: {
        authorization: `Bearer ${keys[caller]}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as any };
  }

  it('orders, shows, lists and lifts', async () => {
    const order = { selector: { user: { iss: IDP, sub: 'ann' } }, reason: 'left' };
    const ordered = await call('analyst', 'POST', '', order, { 'idempotency-key': 'k1' });
    expect(ordered).toMatchObject({
      status: 201,
      body: { confirmed: { nodes: 1, guards: 0, expired: 0 }, regrant_after: null },
    });
    expect(Object.keys(ordered.body).sort()).toEqual([
      'confirmed',
      'hits',
      'id',
      'ms',
      'other_rules',
      'regrant_after',
      'seq',
      'unknown',
    ]);
    const minimal = await call('analyst', 'POST', '', order, { 'idempotency-key': 'k1', prefer: 'return=minimal' });
    expect([ordered, minimal].map(({ headers }) => headers.get('preference-applied'))).toEqual([
      null,
      'return=minimal',
    ]);
    expect(Object.keys(minimal.body).sort()).toEqual(['confirmed', 'id', 'ms', 'regrant_after', 'seq']);
    expect(ordered.headers.get('location')).toBe(`/v1/revocations/${ordered.body.id}`);
    expect(await call('analyst', 'POST', '', order, { 'idempotency-key': 'k1' })).toMatchObject({
      status: 200,
      body: { id: ordered.body.id },
    });
    expect(await call('analyst', 'POST', '', { ...order, reason: 'x' }, { 'idempotency-key': 'k1' })).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
    expect(await call('auditor', 'GET', `/${ordered.body.id}`)).toMatchObject({
      status: 200,
      body: { state: 'live', effect: 'block' },
    });
    expect((await call('auditor', 'GET', '?limit=1')).body.revocations).toHaveLength(1);
    expect(await call('narrow', 'POST', `/${ordered.body.id}/lift`)).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
    expect(await call('analyst', 'POST', `/${ordered.body.id}/lift`)).toMatchObject({
      status: 200,
      body: { id: ordered.body.id, revoke: expect.any(String) },
    });
    expect(await call('auditor', 'GET', `/${ordered.body.id}`)).toMatchObject({
      status: 200,
      body: {
        state: 'lifted',
        in_force: false,
        ended: { by: 'lift', leaves: 'revoke', author: { caller: 'analyst' } },
      },
    });
    expect(await call('analyst', 'POST', `/${ordered.body.id}/lift`, { resume: true })).toMatchObject({
      status: 409,
      body: { code: 'already-lifted' },
    });
    expect(await call('analyst', 'GET', '/nothing')).toMatchObject({ status: 404 });
  });

  describe('while a node has not confirmed', () => {
    /** The row of a process that stopped: orders wait until its lease is over. */
    const stopNode = () =>
      control.database.pool.query('INSERT INTO node (id, name, lease_ms) VALUES ($1, $2, $3)', [
        randomUUID(),
        'stopped',
        2_000,
      ]);
    const read = async (id: string) => (await call('auditor', 'GET', `/${id}`)).body;
    async function waitUntilInForce(id: string): Promise<void> {
      const until = performance.now() + 10_000;
      while (!(await read(id)).in_force) {
        if (performance.now() > until) throw new Error('not in force');
        await delay(20);
      }
    }
    const order = (sub: string) => ({ selector: { user: { iss: IDP, sub } }, reason: 'left' });

    it('answers 202 to `Prefer: respond-async`, and the status resource says when it is in force', async () => {
      await stopNode();
      const accepted = await call('analyst', 'POST', '', order('async'), {
        prefer: 'respond-async',
        'idempotency-key': 'async',
      });
      expect(accepted).toMatchObject({
        status: 202,
        body: { id: expect.any(String), seq: expect.any(String), in_force: false },
      });
      expect(Object.keys(accepted.body)).toHaveLength(3);
      expect(accepted.headers.get('preference-applied')).toBe('respond-async');
      const location = accepted.headers.get('location')!;
      expect(location).toBe(`/v1/revocations/${accepted.body.id}`);
      expect(await read(accepted.body.id)).toMatchObject({ state: 'live', in_force: false });
      expect((await call('auditor', 'GET', '?limit=1')).body.revocations).toMatchObject([
        { id: accepted.body.id, in_force: false },
      ]);
      // The same order without the preference waits, and says what it waited for.
      const waited = await call('analyst', 'POST', '', order('async'), { 'idempotency-key': 'async' });
      expect(waited).toMatchObject({
        status: 200,
        body: { id: accepted.body.id, confirmed: { nodes: 1, expired: 1 } },
      });
      expect(await read(accepted.body.id)).toMatchObject({ in_force: true });
    });

    it('refuses a bad order at once, whatever is preferred', async () => {
      const body = { selector: {}, reason: 'x' };
      expect(await call('analyst', 'POST', '', body, { prefer: 'respond-async' })).toMatchObject({
        status: 400,
        body: { code: 'empty-selector' },
      });
    });

    it('carries out the order of a caller that left while it waited', async () => {
      await stopNode();
      const gone = new AbortController();
      const asked = fetch(`${url}/v1/revocations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keys['analyst']}`, 'content-type': 'application/json' },
        body: JSON.stringify(order('gone')),
        signal: gone.signal,
      }).catch(() => 'gone');
      const find = async () =>
        (await call('auditor', 'GET', '?limit=1')).body.revocations.find(
          (rule: any) => rule.selector.user?.sub === 'gone',
        );
      let rule: any;
      while ((rule = await find()) === undefined) await delay(5);
      expect(rule.in_force).toBe(false);
      gone.abort();
      expect(await asked).toBe('gone');
      await waitUntilInForce(rule.id);
      expect(await call('analyst', 'POST', '', order('after'))).toMatchObject({ status: 201 });
    });
  });

  it.each([
    ['analyst', {}, 400, 'empty-selector'],
    ['analyst', { all: true, agent_type: 'x' }, 400, 'contradictory-selector'],
    ['analyst', { planet: 'mars' }, 400, 'invalid-selector'],
    ['narrow', { agent_type: 'coder' }, 403, 'selector-too-wide'],
    ['analyst', { all: true }, 403, 'selector-too-wide'],
    ['auditor', { issuer: IDP }, 403, 'forbidden'],
    ['emitter', { issuer: IDP }, 403, 'forbidden'],
    ['nobody', { issuer: IDP }, 401, 'unauthenticated'],
  ])('answers %s, who selects %p, with %i %s', async (caller, selector, status, code) => {
    expect(await call(caller, 'POST', '', { selector, reason: 'r', confirm: true })).toMatchObject({
      status,
      body: { code },
    });
  });

  it('counts the rules that stop something, and the nodes and guards that apply them', async () => {
    const standing = async () => (await call('auditor', 'GET', '/standing')).body;
    const before = await standing();
    expect(before).toEqual({ rules: expect.any(Number), nodes: 1, guards: 0 });
    const order = { selector: { user: { iss: IDP, sub: 'counted' } }, reason: 'to be counted' };
    const { id } = (await call('analyst', 'POST', '', order)).body;
    expect(await standing()).toEqual({ ...before, rules: before.rules + 1 });
    await call('analyst', 'POST', `/${id}/lift`, { reason: 'enough', resume: true });
    expect(await standing()).toEqual(before);
    expect((await call('narrow', 'GET', '/standing')).status).toBe(403);
  });

  it('shows no rules without a role for them', async () => {
    expect(await call('emitter', 'GET', '')).toMatchObject({ status: 403 });
    expect(await call('nobody', 'GET', '')).toMatchObject({ status: 401 });
  });

  it('previews for callers that may revoke or audit, and orders nothing', async () => {
    const order = { selector: { user: { iss: IDP, sub: 'previewed' } } };
    const before = control.follower.state.head;
    const previewed = await call('auditor', 'POST', '/preview', order);
    const nothing = { tokens: 0, used_in_last_hour: 0, users: 0, grants: 0, connections: 0 };
    expect(previewed).toMatchObject({
      status: 200,
      body: { as_of: { index: expect.stringMatching(/^\d+$/) }, ...nothing },
    });
    expect(
      await call('narrow', 'POST', '/preview', { ...order, effect: 'revoke', reason: 'why', confirm: true }),
    ).toMatchObject({ status: 200, body: nothing });
    expect(await call('narrow', 'POST', '/preview', { selector: { agent_type: 'x' } })).toMatchObject({
      status: 403,
      body: { code: 'selector-too-wide' },
    });
    expect(await call('emitter', 'POST', '/preview', order)).toMatchObject({ status: 403 });
    expect(control.follower.state.head).toBe(before);
  });

  it.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['a number', '1'],
    ['a deep list', '['.repeat(5_000)],
    ['duplicate members', '{"selector":{"issuer":"a"},"selector":{"issuer":"b"}}'],
    ['a NUL in a name', '{"selector":{"resource":"a\\u0000b"}}'],
    ['half a character', '{"selector":{"issuer":"\\ud800"}}'],
    ['a selector of wrong types', '{"selector":{"user":[1,{"iss":null}]}}'],
    ['a number beyond all integers', '{"selector":{"issuer":"a"},"effect":"revoke","before":1e400}'],
    ['an endless name', `{"selector":{"issuer":"${'a'.repeat(100_000)}"}}`],
  ])('answers a preview of %s with a 4xx', async (_name, body) => {
    const headers = { authorization: `Bearer ${keys['analyst']}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/v1/revocations/preview`, { method: 'POST', headers, body });
    expect(Math.floor(response.status / 100)).toBe(4);
  });

  it('describes itself', () => {
    const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    expect(
      Object.keys(paths)
        .filter((path) => path.startsWith('/v1/revocations'))
        .sort(),
    ).toEqual([
      '/v1/revocations',
      '/v1/revocations/preview',
      '/v1/revocations/standing',
      '/v1/revocations/{id}',
      '/v1/revocations/{id}/lift',
    ]);
  });
});
