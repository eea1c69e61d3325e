import { createServer, request, type IncomingHttpHeaders, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryWorld, NOW, type MemoryWorld } from '../../../test/conformance/memory-world.js';
import * as parties from '../../../test/conformance/parties.js';
import { digestOf, signJwt } from '../../../test/conformance/signing.js';

let world: MemoryWorld;
let server: Server;
beforeEach(async () => {
  world = createMemoryWorld();
  world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('at_1'), scope: 'chat.read chat.write' }));
  server = createServer(world.authorizeRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

interface Sent {
  readonly headers?: OutgoingHttpHeaders;
  readonly token?: string;
  readonly method?: string;
  readonly path?: string;
}
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const ask = ({
  headers = {},
  token = 'at_1',
  method = 'GET',
  path = '/authorize-request',
}: Sent = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const all = { authorization: `Bearer ${token}`, 'x-rescind-key': parties.secretOf('chat-api'), ...headers };
    const set = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    request(
      { port: (server.address() as AddressInfo).port, host: '127.0.0.1', path, method, headers: set },
      (response) => {
        text(response).then(
          (body) => resolve({ status: response.statusCode!, headers: response.headers, body }),
          reject,
        );
      },
    )
      .once('error', reject)
      .end();
  });
const challengeTo = async (sent: Sent): Promise<unknown> => {
  const { status, headers } = await ask(sent);
  return [status, headers['www-authenticate']];
};

describe('/authorize-request', () => {
  it('answers 200 with who the token is of, and nothing else', async () => {
    const { status, headers, body } = await ask();
    expect([status, body, headers['cache-control']]).toEqual([200, '', 'no-store']);
    expect(headers).toMatchObject({
      'x-rescind-iss': parties.RAS,
      'x-rescind-client-id': 'wiki-at-chat',
      'x-rescind-scope': 'chat.read chat.write',
    });
    expect(headers['x-rescind-sub']).toBe(parties.tokenFacts(NOW).sub);
  });

  it.each([
    ['GET', '/authorize-request?scope=x', 200],
    ['POST', '/authorize-request', 200],
    ['HEAD', '/authorize-request', 200],
    ['DELETE', '/authorize-request', 405],
    ['DELETE', '/authorize-request/messages/1?resource=x', 200],
  ])('answers %s %s with %i: Envoy puts its client\u2019s path and method there', async (method, path, status) => {
    expect((await ask({ method, path })).status).toBe(status);
  });

  it('sends each header also where there is nothing to say, so that it replaces one of the client', async () => {
    world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('at_2'), sub: undefined, scope: undefined }));
    expect((await ask({ token: 'at_2' })).headers).toMatchObject({ 'x-rescind-sub': '', 'x-rescind-scope': '' });
  });

  it.each([
    ['Zo\u00eb\r\nx-admin: 1', 'Zo%C3%AB%0D%0Ax-admin: 1'],
    ['100%41', '100%2541'],
    [' a b ', '%20a b%20'],
    ['\ud800', '%EF%BF%BD'],
  ])('writes the name %j so that it ends no header and stands for no other name', async (sub, written) => {
    world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('at_2'), sub }));
    expect((await ask({ token: 'at_2' })).headers['x-rescind-sub']).toBe(written);
  });

  it.each<[string, Sent]>([
    ['no Authorization', { headers: { authorization: undefined } }],
    ['another scheme', { headers: { authorization: 'Basic YTpi' } }],
    ['a token that is none', { headers: { authorization: 'Bearer a b' } }],
    ['no token', { headers: { authorization: 'Bearer' } }],
    ['neither a token nor a key of the proxy', { headers: { authorization: undefined, 'x-rescind-key': undefined } }],
  ])('asks for a token where there is %s (RFC 6750, 3.1: no error)', async (_, sent) => {
    expect(await challengeTo(sent)).toEqual([401, 'Bearer realm="rescind"']);
  });

  it.each<[string, () => string]>([
    ['unknown', () => 'at_unknown'],
    [
      'expired',
      () => (world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('at_2'), exp: NOW - 60 })), 'at_2'),
    ],
    ['stopped by a rule', () => (world.order({ issuer: parties.RAS }), 'at_1')],
    [
      'for a resource of others',
      () => (
        world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('at_2'), aud: [parties.OTHER_API] })), 'at_2'
      ),
    ],
    [
      'a refresh token, though its audience is the resource',
      () => (world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('rt'), kind: 'refresh' })), 'rt'),
    ],
    [
      'bound to a key that nobody checks here',
      () => (
        world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('at_2'), cnf: { jkt: digestOf('key') } })), 'at_2'
      ),
    ],
  ])('refuses a token that is %s as invalid', async (_, token) => {
    expect(await challengeTo({ token: token() })).toEqual([401, 'Bearer realm="rescind", error="invalid_token"']);
  });

  it('refuses a refresh token that the caller may introspect, since it is no access', async () => {
    world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('rt'), kind: 'refresh' }));
    expect(
      (await ask({ token: 'rt', headers: { 'x-rescind-key': parties.secretOf('chat-login') } })).headers[
        'www-authenticate'
      ],
    ).toBe('Bearer realm="rescind", error="invalid_token"');
  });

  it('takes a JWT, which it verifies first', async () => {
    const facts = parties.tokenFacts(NOW, { jti: 'jwt-1' });
    world.recordToken(facts);
    expect((await ask({ token: signJwt(parties.rasKey, parties.claimsOf(facts)) })).status).toBe(200);
    expect((await ask({ token: signJwt(parties.strangerKey, parties.claimsOf(facts)) })).status).toBe(401);
  });

  it('wants the resource and all scopes of the location', async () => {
    const at = (resource: string, scope?: string): Sent => ({
      headers: { 'x-rescind-resource': resource, 'x-rescind-require-scope': scope },
    });
    expect((await ask(at(parties.API, 'chat.write chat.read'))).status).toBe(200);
    expect((await ask(at(parties.API, ''))).status).toBe(200);
    expect(await challengeTo(at(parties.OTHER_API, 'chat.read'))).toEqual([
      401,
      'Bearer realm="rescind", error="invalid_token", scope="chat.read"',
    ]);
    expect(await challengeTo(at(parties.API, 'chat.read chat.admin'))).toEqual([
      403,
      'Bearer realm="rescind", error="insufficient_scope", scope="chat.read chat.admin"',
    ]);
    expect(await challengeTo(at(parties.API, 'chat'))).toEqual([
      403,
      'Bearer realm="rescind", error="insufficient_scope", scope="chat"',
    ]);
  });

  it.each<[string, OutgoingHttpHeaders]>([
    ['no key', { 'x-rescind-key': undefined }],
    ['a wrong key', { 'x-rescind-key': 'rsk_wrong' }],
    ['the key of a caller without the role', { 'x-rescind-key': parties.secretOf('producer') }],
    ['an empty resource', { 'x-rescind-resource': '' }],
    ['two keys', { 'x-rescind-key': [parties.secretOf('chat-api'), parties.secretOf('chat-api')] }],
    ['two resources', { 'x-rescind-resource': [parties.API, parties.API] }],
    ['two demands of scope', { 'x-rescind-require-scope': ['chat.read', 'chat.read'] }],
    ['a scope that is none', { 'x-rescind-require-scope': 'chat.read"' }],
  ])('says 400 where the proxy sends %s: the client cannot mend it', async (_, headers) => {
    const { status, headers: answered } = await ask({ headers });
    expect([status, answered['www-authenticate']]).toEqual([400, undefined]);
  });

  it('says 503 while the node holds no lease', async () => {
    world.isCurrent = false;
    expect(await ask()).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });

  it('counts how calls end', async () => {
    await ask();
    await ask({ token: 'at_unknown' });
    const counted = await world.metrics.text();
    expect(counted).toContain('rescind_authorize_requests_total{outcome="active"} 1');
    expect(counted).toContain('rescind_authorize_requests_total{outcome="inactive"} 1');
    expect(await world.count('active')).toBe(1);
  });
});
