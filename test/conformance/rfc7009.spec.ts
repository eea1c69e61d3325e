import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TokenIssued } from '../../src/contracts/index.js';
import { readConfig } from '../../src/platform/config/index.js';
import * as parties from './parties.js';
import { startConformanceService, type Answer, type ConformanceService } from './service.js';
import { digestOf, mirrorSignature, signJwt } from './signing.js';

const INACTIVE = '{"active":false}';
const CLIENT = 'chat-login';

let service: ConformanceService;
beforeAll(async () => {
  service = await startConformanceService();
});
afterAll(() => service.stop());

const now = (): number => Math.floor(Date.now() / 1000);

async function issueOpaque(over: Partial<TokenIssued> = {}): Promise<string> {
  const text = `at_${randomUUID()}`;
  await service.emit('chat', 'token.issued', parties.tokenFacts(now(), { sha256: digestOf(text), ...over }));
  return text;
}

async function issueJwt(over: Partial<TokenIssued> = {}): Promise<string> {
  const facts = parties.tokenFacts(now(), { jti: randomUUID(), ...over });
  await service.emit('chat', 'token.issued', facts);
  return signJwt(parties.rasKey, parties.claimsOf(facts));
}

const revoke = (
  form: Record<string, string>,
  headers: Readonly<Record<string, string>> = { authorization: service.basic(CLIENT) },
): Promise<Answer> => service.post('/revoke', String(new URLSearchParams(form)), headers);
const introspect = async (token: string): Promise<string> =>
  (
    await service.post('/introspect', String(new URLSearchParams({ token })), {
      authorization: service.basic('chat-api'),
    })
  ).text;

describe('RFC 7009, 2: revocable tokens', () => {
  it('the endpoint is https: any other address than loopback needs TLS or a declared proxy', () => {
    expect(() =>
      readConfig({ HOST: '0.0.0.0', DATABASE_URL: 'postgres://localhost/x', KAFKA_BROKERS: 'none' }),
    ).toThrow();
  });

  it('an opaque access token can be revoked', async () => {
    const token = await issueOpaque();
    expect(await introspect(token)).not.toBe(INACTIVE);
    expect((await revoke({ token })).status).toBe(200);
    expect(await introspect(token)).toBe(INACTIVE);
  });

  it('a JWT access token can be revoked, in any spelling', async () => {
    const token = await issueJwt();
    expect((await revoke({ token: mirrorSignature(token) })).status).toBe(200);
    expect(await introspect(token)).toBe(INACTIVE);
    expect(await introspect(mirrorSignature(token))).toBe(INACTIVE);
  });

  it('a refresh token can be revoked, with the access tokens that came from it (section 2.1)', async () => {
    const refresh = `rt_${randomUUID()}`;
    const parent = { sha256: digestOf(refresh) };
    await service.emit(
      'chat',
      'token.issued',
      parties.tokenFacts(now(), { kind: 'refresh', exp: undefined, aud: [parties.RAS], ...parent }),
    );
    const access = await issueOpaque({ parent });
    const other = await issueOpaque();
    expect(await introspect(access)).not.toBe(INACTIVE);
    expect((await revoke({ token: refresh, token_type_hint: 'refresh_token' })).status).toBe(200);
    expect(await introspect(access)).toBe(INACTIVE);
    expect(await introspect(other)).not.toBe(INACTIVE);
  });
});

describe('RFC 7009, 2.1: the request', () => {
  it.each([
    ['no token', 'token_type_hint=access_token'],
    ['an empty token', 'token='],
    ['two tokens', 'token=a&token=b'],
  ])('%s is invalid_request', async (_, form) => {
    const answer = await service.post('/revoke', form, { authorization: service.basic(CLIENT) });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ error: 'invalid_request' });
  });

  it('GET is refused', async () => {
    const response = await fetch(`${service.url}/revoke?token=x`, {
      headers: { authorization: service.basic(CLIENT) },
    });
    expect(response.status).toBe(405);
    await response.text();
  });

  it.each(['access_token', 'refresh_token', 'unheard_of'])(
    'hint %s: all supported types are searched',
    async (hint) => {
      const token = await issueOpaque();
      expect((await revoke({ token, token_type_hint: hint })).status).toBe(200);
      expect(await introspect(token)).toBe(INACTIVE);
    },
  );

  it.each([
    ['no credentials', {}],
    ['a wrong secret', { authorization: parties.basic(CLIENT, 'rsk_wrong') }],
    ['an unknown client', { authorization: parties.basic('nobody', 'rsk_wrong') }],
  ])('the client is authenticated first: %s is invalid_client', async (_, headers) => {
    const token = await issueOpaque();
    const answer = await revoke({ token }, headers as Record<string, string>);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toMatchObject({ error: 'invalid_client' });
    expect(await introspect(token)).not.toBe(INACTIVE);
  });

  it('the revocation of another client’s token is refused, and the token stays active', async () => {
    const token = await issueOpaque({
      client_id: 'somebody-else',
      id_jag: { iss: parties.IDP, jti: 'gr-2', sub: 'u-2', client_id: 'somebody-else' },
    });
    const answer = await revoke({ token });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(await introspect(token)).not.toBe(INACTIVE);
  });

  it('the revocation of another issuer’s token is refused too', async () => {
    const text = `at_${randomUUID()}`;
    const facts = parties.tokenFacts(now(), {
      iss: parties.OTHER_RAS,
      aud: [parties.OTHER_API],
      sha256: digestOf(text),
    });
    await service.emit('crm', 'token.issued', facts);
    expect((await revoke({ token: text })).status).toBeGreaterThanOrEqual(400);
  });

  it('the token is unusable from the moment of success: no later introspection finds it active', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, () => issueOpaque()));
    for (const token of tokens) expect(await introspect(token)).not.toBe(INACTIVE);
    const seen = await Promise.all(
      tokens.map(async (token) => {
        expect((await revoke({ token })).status).toBe(200);
        return introspect(token);
      }),
    );
    expect(new Set(seen)).toEqual(new Set([INACTIVE]));
  });
});

describe('RFC 7009, 2.2: the answer', () => {
  it.each<[string, () => Promise<string>]>([
    ['unknown', async () => `at_${randomUUID()}`],
    ['malformed', async () => '...'],
    [
      'a JWT that no registered key signed',
      async () => signJwt(parties.strangerKey, parties.claimsOf(parties.tokenFacts(now(), { jti: randomUUID() }))),
    ],
    ['expired', () => issueOpaque({ iat: now() - 100, exp: now() - 10 })],
  ])('an invalid token is no error: %s', async (_, make) => {
    expect((await revoke({ token: await make() })).status).toBe(200);
  });

  it('revoking a revoked token again gets the same answer', async () => {
    const token = await issueOpaque();
    const first = await revoke({ token });
    const second = await revoke({ token });
    expect(second).toMatchObject({ status: first.status, text: first.text });
  });

  it('an opaque token that is reported after its revocation is never active', async () => {
    const text = `at_${randomUUID()}`;
    expect((await revoke({ token: text })).status).toBe(200);
    await service.emit('chat', 'token.issued', parties.tokenFacts(now(), { sha256: digestOf(text) }));
    expect(await introspect(text)).toBe(INACTIVE);
  });

  it('revoking an unverifiable JWT makes no rule on the token that it imitates', async () => {
    const token = await issueJwt();
    const [header, payload] = token.split('.');
    expect((await revoke({ token: `${header}.${payload}.${Buffer.alloc(64, 1).toString('base64url')}` })).status).toBe(
      200,
    );
    expect(await introspect(token)).not.toBe(INACTIVE);
  });
});
