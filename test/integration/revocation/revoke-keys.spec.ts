import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventDataOf } from '../../../src/contracts/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import { createAppender, createIntake, createRuleQuota, type Appender } from '../../../src/ingest/index.js';
import { createIntrospection, type Introspection } from '../../../src/introspection/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { createLineageReader } from '../../../src/projections/index.js';
import { createAuthenticator, createKeySets, type KeySets } from '../../../src/registry/index.js';
import { createRevocations, createRevokeHandler } from '../../../src/revocation/index.js';
import { makeKey, signJwt, type SigningKey } from '../../conformance/signing.js';
import { testLog } from '../../support/services.js';
import { CHAT_SOURCE, startControl, type ControlFixture } from '../registry/control-fixture.js';
import { testSignatures } from '../../support/signatures.js';

// A certificate for localhost, self-signed, for specs alone.
const tls = (name: string): string => readFileSync(new URL(`../registry/tls/${name}.pem`, import.meta.url), 'utf8');
const RAS = CHAT_SOURCE.issuers[0]!;
const API = CHAT_SOURCE.resources[0]!;
/** Milliseconds after which an unknown `kid` makes a set be fetched again. */
const REFETCH_MS = 30_000;
const seconds = (): number => Math.floor(Date.now() / 1000);

const oldKey = makeKey('ES256', 'ras-1');
const newKey = makeKey('ES256', 'ras-2');

let control: ControlFixture;
let appender: Appender;
let issuer: TlsServer;
let published: readonly SigningKey[] | undefined;
let clockMs: number;
let nodes: Node[];
let emit: (data: EventDataOf['token.issued']) => Promise<void>;
const secrets: Record<string, string> = {};

/** A node's own keys and memory over the one control log. */
interface Node {
  readonly keySets: KeySets;
  readonly introspection: Introspection;
  readonly server: Server;
  readonly url: string;
}

async function startNode(): Promise<Node> {
  const { follower, controlLog, database } = control;
  const [log, metrics, { pool }] = [testLog(), createMetrics(), database];
  const keySets = createKeySets({
    state: follower.state,
    log,
    allowedHosts: ['localhost'],
    ca: [tls('localhost-cert')],
    monotonic: () => clockMs,
  });
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
  const server = createServer((req, res) =>
    req.url === '/revoke' ? revoke(req, res) : introspection.handle(req, res),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const node = { keySets, introspection, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  nodes.push(node);
  return node;
}

beforeEach(async () => {
  [published, clockMs, nodes] = [[oldKey], 0, []];
  issuer = createTlsServer({ cert: tls('localhost-cert'), key: tls('localhost-key') }, (_, res) => {
    if (published) res.end(JSON.stringify({ keys: published.map(({ jwk }) => jwk) }));
    else res.writeHead(503).end();
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  control = await startControl();
  const { registry, follower, controlLog, database } = control;
  const jwksUri = `https://localhost:${(issuer.address() as AddressInfo).port}/jwks`;
  await registry.createSource(control.admin, { ...CHAT_SOURCE, jwks_uri: jwksUri, profile: { lineage: 'none' } });
  const roles = {
    chat: { emit: { sources: ['chat'] } },
    wiki: { 'revoke-own': { clients: [{ iss: RAS, client_id: 'wiki' }] } },
    api: { introspect: { resources: [API], issuers: [RAS] } },
  };
  for (const [id, role] of Object.entries(roles))
    secrets[id] = (await registry.createCaller(control.admin, { id, roles: role })).secret;
  appender = createAppender({ pool: database.pool, controlLog, follower, log: testLog(), metrics: createMetrics() });
  await appender.start();
  const intake = createIntake({
    follower,
    appender,
    ruleQuota: createRuleQuota({ state: follower.state, metrics: createMetrics() }),
    signatures: testSignatures({ pool: database.pool, follower, appender }),
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
});
afterEach(async () => {
  for (const { server, keySets, introspection } of nodes) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    keySets.stop();
    await introspection.stop();
  }
  await appender.stop();
  await control.stop();
  issuer.closeAllConnections();
  await new Promise((resolve) => issuer.close(resolve));
});

async function post(
  node: Node,
  path: string,
  caller: string,
  form: Readonly<Record<string, string>>,
): Promise<Response & { readonly said: string }> {
  const authorization = `Basic ${Buffer.from(`${caller}:${secrets[caller]}`).toString('base64')}`;
  const response = await fetch(node.url + path, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams(form),
  });
  return Object.assign(response, { said: await response.text() });
}
const revoke = (node: Node, token: string, hint?: string) =>
  post(node, '/revoke', 'wiki', { token, ...(hint === undefined ? {} : { token_type_hint: hint }) });
const isActive = async (node: Node, token: string): Promise<boolean> =>
  (JSON.parse((await post(node, '/introspect', 'api', { token })).said) as { active: boolean }).active;
const head = (): bigint => control.follower.state.head;

let issued = 0;
/** A token that Rescind knows of by event. */
async function issue(key: SigningKey): Promise<string> {
  const claims = {
    iss: RAS,
    jti: `at-${issued++}`,
    sub: 'ann',
    client_id: 'wiki',
    scope: 'read',
    iat: seconds(),
    exp: seconds() + 600,
  };
  await emit({ kind: 'access', ...claims, aud: [API] });
  return signJwt(key, { ...claims, aud: API });
}

/** Refused for want of a key, and nothing ordered. */
async function expectUnavailable(node: Node, token: string, hint?: string): Promise<void> {
  const before = head();
  const answer = await revoke(node, token, hint);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '30']);
  expect(JSON.parse(answer.said)).toMatchObject({ error: 'temporarily_unavailable' });
  expect(head()).toBe(before);
}

describe('POST /revoke of a JWT whose key is missing', () => {
  it('is 503 after a rotation until the set may be fetched again, then 200, and the token is stopped', async () => {
    const node = await startNode();
    expect(await isActive(node, await issue(oldKey))).toBe(true);
    published = [oldKey, newKey];
    const token = await issue(newKey);
    await expectUnavailable(node, token);
    expect(await isActive(node, token)).toBe(false);
    clockMs += REFETCH_MS + 1_000;
    expect((await revoke(node, token)).status).toBe(200);
    expect(await isActive(node, token)).toBe(false);
    clockMs += REFETCH_MS + 1_000;
    expect(await isActive(node, token)).toBe(false);
  });

  it('is 503 while the issuer does not publish its keys, with the hint refresh_token too', async () => {
    const node = await startNode();
    published = undefined;
    const token = await issue(newKey);
    await expectUnavailable(node, token);
    await expectUnavailable(node, token, 'refresh_token');
    published = [newKey];
    await expectUnavailable(node, token);
    clockMs += REFETCH_MS;
    expect((await revoke(node, token)).status).toBe(200);
    expect(await isActive(node, token)).toBe(false);
  });

  it('is 503 at a node that lacks the key while another one has it', async () => {
    const early = await startNode();
    expect(await isActive(early, await issue(oldKey))).toBe(true);
    published = [oldKey, newKey];
    const token = await issue(newKey);
    const late = await startNode();
    expect(await isActive(late, token)).toBe(true);
    await expectUnavailable(early, token);
    expect((await revoke(late, token)).status).toBe(200);
    expect(await isActive(late, token)).toBe(false);
  });

  it('is 503 if a forged JWT has used up the fetch', async () => {
    const node = await startNode();
    expect(await isActive(node, await issue(oldKey))).toBe(true);
    clockMs += REFETCH_MS;
    await expectUnavailable(node, signJwt(makeKey('ES256', 'made-up'), { iss: RAS, jti: 'forged', client_id: 'wiki' }));
    published = [oldKey, newKey];
    await expectUnavailable(node, await issue(newKey));
  });

  it('is 503 while its source is disabled', async () => {
    const node = await startNode();
    const token = await issue(oldKey);
    expect(await isActive(node, token)).toBe(true);
    await control.registry.disableSource(control.admin, 'chat');
    await expectUnavailable(node, token);
  });

  it('is 200 without a rule if a present key refuses it, or nobody could have written it', async () => {
    const node = await startNode();
    const token = await issue(oldKey);
    expect(await isActive(node, token)).toBe(true);
    const forged = signJwt(makeKey('ES256', oldKey.kid), { iss: RAS, jti: 'forged', client_id: 'wiki' });
    const foreign = signJwt(oldKey, { iss: 'https://unknown.example', jti: 'a', client_id: 'wiki' });
    const before = head();
    for (const text of [forged, foreign]) expect((await revoke(node, text)).status).toBe(200);
    expect(head()).toBe(before);
    expect((await revoke(node, forged, 'refresh_token')).status).toBe(200);
    expect(head()).toBe(before + 1n);
    expect(await isActive(node, token)).toBe(true);
  });
});
