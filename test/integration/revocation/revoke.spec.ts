import { createHash, generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT, exportJWK } from 'jose';
import type { EventDataOf } from '../../../src/contracts/index.js';
import type { ControlFollower, IssuerClient, NewControlRecord } from '../../../src/control/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import { createAppender, createIntake, type Appender, createRuleQuota } from '../../../src/ingest/index.js';
import { createIntrospection } from '../../../src/introspection/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { createLineageReader } from '../../../src/projections/index.js';
import { createAuthenticator, createKeySets, type KeySets } from '../../../src/registry/index.js';
import { createRevocations, createRevokeHandler } from '../../../src/revocation/index.js';
import { selectorKey } from '../../../src/rules/index.js';
import { testLog } from '../../support/services.js';
import { CHAT_SOURCE, startControl, type ControlFixture } from '../registry/control-fixture.js';
import { testSignatures } from '../../support/signatures.js';

const RAS = CHAT_SOURCE.issuers[0]!;
const API = CHAT_SOURCE.resources[0]!;
const seconds = (): number => Math.floor(Date.now() / 1000);
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
const wiki: IssuerClient = { iss: RAS, client_id: 'wiki' };
const bot: IssuerClient = { iss: RAS, client_id: 'bot' };

describe('POST /revoke (RFC 7009)', () => {
  let control: ControlFixture;
  let appender: Appender;
  let keySets: KeySets;
  let server: Server;
  let url: string;
  let emit: (data: EventDataOf['token.issued']) => Promise<void>;
  let sign: (claims: Record<string, unknown>, typ?: string) => Promise<string>;
  const secrets: Record<string, string> = {};
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  beforeAll(async () => {
    control = await startControl();
    const { registry, follower, controlLog, database } = control;
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' };
    await registry.createSource(control.admin, { ...CHAT_SOURCE, jwks: { keys: [jwk] }, profile: { lineage: 'none' } });
    const roles = {
      chat: { emit: { sources: ['chat'] } },
      wiki: { 'revoke-own': { clients: [wiki] } },
      bots: { 'revoke-own': { clients: [bot, { iss: RAS, client_id: 'bot-2' }] } },
      api: { introspect: { resources: [API, RAS], issuers: [RAS] } },
    };
    for (const [id, role] of Object.entries(roles))
      secrets[id] = (await registry.createCaller(control.admin, { id, roles: role })).secret;

    const log = testLog();
    const metrics = createMetrics();
    const { pool } = database;
    appender = createAppender({ pool, controlLog, follower, log, metrics });
    await appender.start();
    const intake = createIntake({
      follower,
      appender,
      ruleQuota: createRuleQuota({ state: follower.state, metrics }),
      signatures: testSignatures({ pool, follower, appender }),
    });
    emit = async (data) => {
      const body = Buffer.from(JSON.stringify(buildEvent('token.issued', { source: CHAT_SOURCE.uri, data })));
      const answer = await intake.take({
        contentType: 'application/cloudevents+json',
        body,
        caller: follower.state.caller('chat')!,
      });
      expect(answer).toMatchObject({ single: { state: 'sequenced' } });
    };
    sign = (claims, typ = 'at+jwt') =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'one', typ }).sign(privateKey);

    keySets = createKeySets({ state: follower.state, log, allowedHosts: [] });
    const authenticate = createAuthenticator({ state: () => follower.state });
    const lineage = createLineageReader({ pool });
    const introspection = createIntrospection({ follower, authenticate, keySets, lineage, metrics, log });
    const revocations = createRevocations({ controlLog, follower, pool });
    const revoke = createRevokeHandler({
      authenticate,
      revocations,
      verifier: introspection.verifier,
      lineage,
      follower,
      log,
      metrics,
    });
    server = createServer((req, res) => (req.url === '/revoke' ? revoke(req, res) : introspection.handle(req, res)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    keySets.stop();
    await appender.stop();
    await control.stop();
  });

  async function post(
    path: string,
    caller: string,
    form: string | Record<string, string>,
    headers: Record<string, string> = {},
  ) {
    const basic = Buffer.from(`${caller}:${secrets[caller] ?? 'wrong'}`).toString('base64');
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
    };
  }
  const revoke = (caller: string, form: string | Record<string, string>) => post('/revoke', caller, form);
  const isActive = async (token: string): Promise<unknown> =>
    (await post('/introspect', 'api', { token })).body!['active'];
  const head = (): bigint => control.follower.state.head;

  let serial = 0;
  const opaque = (): string => `opaque-token-${(serial += 1)}-${'x'.repeat(24)}`;
  const facts = (more: Partial<EventDataOf['token.issued']>): EventDataOf['token.issued'] => ({
    kind: 'access',
    iss: RAS,
    client_id: 'wiki',
    sub: 'ann',
    aud: [API],
    scope: 'read',
    iat: seconds(),
    exp: seconds() + 600,
    ...more,
  });
  /** The event of a JWT. It states the times of the text: an event of a later second would contradict it. */
  const announced = ({ jti, client_id, iat, exp }: any): EventDataOf['token.issued'] =>
    facts({ jti, client_id, iat, exp });
  async function issueOpaque(more: Partial<EventDataOf['token.issued']> = {}): Promise<string> {
    const token = opaque();
    await emit(facts({ sha256: digest(token), ...more }));
    return token;
  }
  async function jwt(more: Record<string, unknown> = {}): Promise<{ token: string; claims: any }> {
    serial += 1;
    const claims = {
      iss: RAS,
      jti: `at-${serial}`,
      sub: 'ann',
      client_id: 'wiki',
      aud: API,
      scope: 'read',
      iat: seconds(),
      exp: seconds() + 600,
      ...more,
    };
    return { token: await sign(claims), claims };
  }

  it('revokes an opaque access token, whatever the hint, and repeatedly', async () => {
    for (const hint of [undefined, 'access_token', 'refresh_token', 'nonsense']) {
      const token = await issueOpaque();
      expect(await isActive(token)).toBe(true);
      const form: Record<string, string> = hint === undefined ? { token } : { token, token_type_hint: hint };
      const answer = await revoke('wiki', form);
      expect(answer).toMatchObject({ status: 200, body: undefined });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await isActive(token)).toBe(false);
      const before = head();
      expect((await revoke('wiki', form)).status).toBe(200);
      expect(head()).toBe(before);
    }
  });

  it('revokes a recorded JWT, and an unrecorded one that is recorded later', async () => {
    const recorded = await jwt();
    await emit(announced(recorded.claims));
    expect(await isActive(recorded.token)).toBe(true);
    expect((await revoke('wiki', { token: recorded.token })).status).toBe(200);
    expect(await isActive(recorded.token)).toBe(false);

    // Its issuer's clock runs ahead by more than the skew: the rule holds all the same.
    const ahead = seconds() + 120;
    const early = await jwt({ iat: ahead, exp: ahead + 600 });
    expect((await revoke('wiki', { token: early.token })).status).toBe(200);
    await emit(facts({ jti: early.claims.jti, iat: ahead, exp: ahead + 600 }));
    expect(await isActive(early.token)).toBe(false);
  });

  it('revokes with a refresh token the tokens that came from it', async () => {
    const refresh = await issueOpaque({ kind: 'refresh', exp: undefined });
    const access = await issueOpaque({ parent: { sha256: digest(refresh) } });
    const other = await issueOpaque();
    expect(await isActive(access)).toBe(true);
    expect((await revoke('wiki', { token: refresh, token_type_hint: 'refresh_token' })).status).toBe(200);
    expect(await isActive(access)).toBe(false);
    expect(await isActive(other)).toBe(true);
    const late = await issueOpaque({ parent: { sha256: digest(refresh) } });
    expect(await isActive(late)).toBe(false);
  });

  it('refuses another client’s token, which stays active', async () => {
    const token = await issueOpaque({ client_id: 'bot' });
    const before = head();
    expect(await revoke('wiki', { token })).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const { token: foreign, claims } = await jwt({ client_id: 'bot' });
    expect(await revoke('wiki', { token: foreign })).toMatchObject({ status: 400 });
    await emit(announced(claims));
    expect(await revoke('wiki', { token: foreign })).toMatchObject({ status: 400 });
    expect(head()).toBe(before);
    expect(await isActive(token)).toBe(true);
    expect(await isActive(foreign)).toBe(true);
  });

  it('stops an unknown token when it turns out to be the caller’s, and no other', async () => {
    const own = opaque();
    const ownSecond = opaque();
    const foreign = opaque();
    for (const token of [own, ownSecond, foreign]) expect((await revoke('bots', { token })).status).toBe(200);
    await emit(facts({ sha256: digest(own), client_id: 'bot' }));
    await emit(facts({ sha256: digest(ownSecond), client_id: 'bot-2', iat: seconds() + 100, exp: seconds() + 600 }));
    await emit(facts({ sha256: digest(foreign), client_id: 'wiki' }));
    expect(await isActive(own)).toBe(false);
    expect(await isActive(ownSecond)).toBe(false);
    expect(await isActive(foreign)).toBe(true);
    const before = head();
    const unknown = opaque();
    await revoke('bots', { token: unknown });
    // One rule, for both of its clients.
    expect(head()).toBe(before + 1n);
    await revoke('bots', { token: unknown });
    expect(head()).toBe(before + 1n);
  });

  it('orders again for a token that was blocked and lifted before its event came', async () => {
    const { token, claims } = await jwt();
    expect((await revoke('wiki', { token })).status).toBe(200);
    const revocations = createRevocations({ ...control, pool: control.database.pool });
    const admin = control.follower.state.caller('admin')!;
    const [newest] = (await revocations.list(admin, { limit: '1' })).revocations;
    await revocations.lift(admin, newest!.id, { resume: true });
    expect((await revoke('wiki', { token })).status).toBe(200);
    await emit(announced(claims));
    expect(await isActive(token)).toBe(false);
  });

  it('answers an unverifiable JWT with success and no rule, unless it may be a refresh token', async () => {
    const before = head();
    const { token } = await jwt();
    const forged = `${token.slice(0, -8)}AAAAAAAA`;
    for (const text of [
      forged,
      await sign({ iss: 'https://unknown.example', jti: 'a', client_id: 'wiki' }),
      await sign({ iss: RAS, jti: 'b', client_id: 'wiki' }, 'JWT'),
    ]) {
      expect((await revoke('wiki', { token: text })).status).toBe(200);
    }
    expect(head()).toBe(before);
    expect((await revoke('wiki', { token: forged, token_type_hint: 'refresh_token' })).status).toBe(200);
    expect(head()).toBe(before + 1n);
  });

  it.each<[string, string, Record<string, string>, number, string]>([
    ['no token', 'token_type_hint=access_token', {}, 400, 'invalid_request'],
    ['an empty token', 'token=', {}, 400, 'invalid_request'],
    ['two tokens', 'token=a&token=b', {}, 400, 'invalid_request'],
    ['JSON', '{"token":"a"}', { 'content-type': 'application/json' }, 400, 'invalid_request'],
    ['a token of 65 KiB', `token=${'a'.repeat(65 * 1024)}`, {}, 413, 'invalid_request'],
    ['a token of a megabyte', `token=${'a'.repeat(1024 * 1024)}`, {}, 413, 'invalid_request'],
    [
      'a wrong secret',
      'token=a',
      { authorization: `Basic ${Buffer.from('wiki:wrong').toString('base64')}` },
      401,
      'invalid_client',
    ],
    ['a wrong key', 'token=a', { authorization: 'Bearer rsk_wrong' }, 401, 'invalid_token'],
    ['two ways of authentication', 'token=a&client_id=wiki&client_secret=x', {}, 400, 'invalid_request'],
  ])('answers %s with the status of the standard', async (_, form, headers, status, error) => {
    const before = head();
    const answer = await post('/revoke', 'wiki', form, headers);
    expect(answer).toMatchObject({ status, body: { error } });
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^(Basic|Bearer) /);
    expect(head()).toBe(before);
  });

  it('accepts client_secret_post and a bearer key too, and requires the role', async () => {
    const token = await issueOpaque();
    const form = new URLSearchParams({ token, client_id: 'wiki', client_secret: secrets['wiki']! }).toString();
    const response = await fetch(`${url}/revoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form,
    });
    expect(response.status).toBe(200);
    expect(await isActive(token)).toBe(false);
    expect(await post('/revoke', 'wiki', { token }, { authorization: `Bearer ${secrets['wiki']}` })).toMatchObject({
      status: 200,
    });
    expect(await revoke('chat', { token })).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } });
  });

  it('accepts only POST', async () => {
    const response = await fetch(`${url}/revoke`);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  it('answers 503 when it cannot be confirmed', async () => {
    const unsure: ControlFollower = {
      ...control.follower,
      state: control.follower.state,
      whenInForce: () => Promise.reject(new Error('gone')),
    };
    const before = url;
    const authenticate = createAuthenticator({ state: () => control.follower.state });
    const lineage = createLineageReader({ pool: control.database.pool });
    const metrics = createMetrics();
    const introspection = createIntrospection({
      follower: control.follower,
      authenticate,
      keySets,
      lineage,
      metrics,
      log: testLog(),
    });
    const revocations = createRevocations({ ...control, follower: unsure, pool: control.database.pool });
    const handler = createRevokeHandler({
      authenticate,
      revocations,
      verifier: introspection.verifier,
      lineage,
      follower: unsure,
      log: testLog(),
      metrics,
    });
    const cut = createServer(handler);
    await new Promise<void>((resolve) => cut.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(cut.address() as AddressInfo).port}`;
    const answer = await revoke('wiki', { token: opaque() });
    url = before;
    cut.closeAllConnections();
    await new Promise((resolve) => cut.close(resolve));
    expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(answer.headers.get('retry-after')).toBe('1');
  });

  it('answers 503 to a caller that has revoked 10,000 unknown tokens, over any number of restarts, and still revokes its known ones', async () => {
    const { secret } = await control.registry.createCaller(control.admin, {
      id: 'flood',
      roles: { 'revoke-own': { clients: [wiki] } },
    });
    secrets['flood'] = secret;
    const tenant = control.follower.state.tenant(control.admin.tenant)!;
    const records = Array.from({ length: 10_000 }, (_, at): NewControlRecord => {
      const selector = { token: { sha256: digest(`flood-${at}`) }, client: wiki };
      const { shape, key } = selectorKey(tenant.key, selector);
      const id = `flood-${at}`;
      const told = {
        effect: 'block',
        until: seconds() + 600,
        reauthenticate: false,
        reason: 'spec',
        author: { caller: 'flood' },
      } as const;
      return {
        kind: 'rule.ordered',
        tenant: tenant.id,
        subject: id,
        body: { id, selector, shape, key: Buffer.from(key, 'latin1').toString('base64url'), ...told },
      };
    });
    const { lastSeq } = await control.controlLog.append({ records });
    await control.follower.whenInForce(lastSeq);
    const answer = await revoke('flood', { token: opaque() });
    expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(head()).toBe(lastSeq);
    const token = await issueOpaque();
    expect((await revoke('flood', { token })).status).toBe(200);
    expect(await isActive(token)).toBe(false);
  });
});
