import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TokenIssued } from '../../src/contracts/index.js';
import { readConfig } from '../../src/platform/config/index.js';
import * as parties from './parties.js';
import { SOURCES, startConformanceService, type Answer, type ConformanceService } from './service.js';
import { digestOf, mirrorSignature, respellPadding, signJwt } from './signing.js';

const { API, IDP, RAS, OTHER_RAS, OTHER_API, rasKey, idpKey } = parties;
const INACTIVE = '{"active":false}';
const ID_JAG_HINT = 'urn:ietf:params:oauth:token-type:id-jag';

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

async function issueJwt(
  over: Partial<TokenIssued> = {},
  claims: object = {},
  header: object = {},
  key = rasKey,
): Promise<string> {
  const facts = parties.tokenFacts(now(), { jti: randomUUID(), ...over });
  await service.emit('chat', 'token.issued', facts);
  return signJwt(key, { ...parties.claimsOf(facts), ...claims }, header);
}

interface Asked {
  as?: string;
  hint?: string;
}
const ask = (token: string, { as = 'chat-api', hint }: Asked = {}): Promise<Answer> =>
  service.post(
    '/introspect',
    String(new URLSearchParams({ token, ...(hint === undefined ? {} : { token_type_hint: hint }) })),
    {
      authorization: service.basic(as),
    },
  );

async function expectActive(token: string, asked?: Asked): Promise<Record<string, unknown>> {
  const { status, text } = await ask(token, asked);
  expect(status).toBe(200);
  const answer = JSON.parse(text) as Record<string, unknown>;
  expect(answer['active']).toBe(true);
  return answer;
}

async function expectInactive(token: string, asked?: Asked): Promise<void> {
  const answer = await ask(token, asked);
  expect(answer).toMatchObject({ status: 200, text: INACTIVE });
  expect(answer.headers.get('cache-control')).toBe('no-store');
}

describe('RFC 7662, 2: the endpoint', () => {
  it('is reachable over TLS only: any other address than loopback needs TLS or a declared proxy', () => {
    expect(() =>
      readConfig({ HOST: '0.0.0.0', DATABASE_URL: 'postgres://localhost/x', KAFKA_BROKERS: 'none' }),
    ).toThrow();
  });
});

describe('RFC 7662, 2.1: the request', () => {
  it('is a POST with a form', async () => {
    await expectActive(await issueOpaque());
    const token = await issueOpaque();
    const json = await service.post('/introspect', JSON.stringify({ token }), {
      'content-type': 'application/json',
      authorization: service.basic('chat-api'),
    });
    expect(json.status).toBe(400);
    expect(JSON.parse(json.text)).toMatchObject({ error: 'invalid_request' });
  });

  it('GET is refused (section 4: tokens do not belong in URLs)', async () => {
    const response = await fetch(`${service.url}/introspect?token=x`, {
      headers: { authorization: service.basic('chat-api') },
    });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    await response.text();
  });

  it.each([
    ['no token', 'token_type_hint=access_token'],
    ['an empty token', 'token='],
    ['two tokens', 'token=a&token=b'],
    ['a repeated hint', 'token=a&token_type_hint=access_token&token_type_hint=access_token'],
    ['a broken escape', 'token=%zz'],
  ])('%s is invalid_request', async (_, form) => {
    const answer = await service.post('/introspect', form, { authorization: service.basic('chat-api') });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ error: 'invalid_request' });
  });

  it('a token of a megabyte is refused, and the next request is answered', async () => {
    const answer = await service.post('/introspect', `token=${'a'.repeat(1_048_576)}`, {
      authorization: service.basic('chat-api'),
    });
    expect(answer.status).toBe(413);
    await expectActive(await issueOpaque());
  });

  it('a wrong hint does not matter: all supported token types are searched', async () => {
    const token = await issueJwt();
    for (const hint of ['access_token', 'refresh_token', 'unheard_of', '']) await expectActive(token, { hint });
  });

  it.each(['client_secret_basic', 'client_secret_post', 'bearer'])('the caller authenticates: %s', async (method) => {
    const token = await issueOpaque();
    const secret = service.secret('chat-api');
    const post = method === 'client_secret_post' ? `&client_id=chat-api&client_secret=${secret}` : '';
    const authorization = method === 'bearer' ? `Bearer ${secret}` : service.basic('chat-api');
    const answer = await service.post(
      '/introspect',
      `token=${token}${post}`,
      method === 'client_secret_post' ? {} : { authorization },
    );
    expect(JSON.parse(answer.text)).toMatchObject({ active: true });
  });
});

describe('RFC 7662, 2.2: the answer', () => {
  it('is one JSON object with a boolean `active` and the facts as issued', async () => {
    const at = now();
    const cnf = { jkt: digestOf('key') };
    const act = { iss: IDP, sub: 'agent-42' };
    const jti = randomUUID();
    const token = await issueJwt({ jti, cnf, act, iat: at - 30, exp: at + 870 });
    const answer = await ask(token);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(JSON.parse(answer.text)).toEqual({
      active: true,
      iss: RAS,
      sub: 'chat-u-1',
      client_id: 'wiki-at-chat',
      aud: API,
      scope: 'chat.read chat.history',
      token_type: 'DPoP',
      exp: at + 870,
      iat: at - 30,
      jti,
      cnf,
      act,
    });
  });

  it.each<[string, () => Promise<[string, Asked?]>]>([
    ['unknown', async () => ['at_unknown']],
    ['malformed', async () => ['...']],
    ['expired', async () => [await issueOpaque({ exp: now() - 1 })]],
    [
      'revoked',
      async () => {
        const token = await issueOpaque();
        await service.revoke({ token: { sha256: digestOf(token) } });
        return [token];
      },
    ],
    ['not to be known by this caller', async () => [await issueOpaque(), { as: 'crm-api' }]],
    ['asked about by a caller that may not introspect', async () => [await issueOpaque(), { as: 'producer' }]],
    [
      'an ID-JAG',
      async () => [signJwt(idpKey, parties.idJagClaims(now(), { jti: randomUUID() }), { typ: 'oauth-id-jag+jwt' })],
    ],
    ['an ID token', async () => [await issueJwt({}, { aud: 'wiki-at-chat' }, { typ: 'JWT' })]],
  ])('%s: the same bytes and no reason', async (_, make) => {
    await expectInactive(...(await make()));
  });

  it('may differ per resource server, which sees only its own tokens', async () => {
    const own = await issueOpaque();
    await expectActive(own, { as: 'chat-api' });
    await expectInactive(own, { as: 'crm-api' });
    await expectInactive(own, { as: 'chat-login' });
  });
});

describe('RFC 7662, 2.3: errors', () => {
  it.each([
    ['no credentials', {}, 'invalid_client'],
    ['a wrong secret', { authorization: parties.basic('chat-api', 'rsk_wrong') }, 'invalid_client'],
    ['an unknown client', { authorization: parties.basic('nobody', 'rsk_wrong') }, 'invalid_client'],
    ['a wrong bearer key', { authorization: 'Bearer rsk_wrong' }, 'invalid_token'],
  ])('%s: 401 with a challenge', async (_, headers, error) => {
    const answer = await service.post('/introspect', 'token=a', headers as Record<string, string>);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toMatchObject({ error });
    expect(answer.headers.get('www-authenticate')).toMatch(/^(Basic|Bearer) /);
  });

  it('a bearer key without the role gets 401 in the form of RFC 6750, section 3', async () => {
    const answer = await service.post('/introspect', 'token=a', {
      authorization: `Bearer ${service.secret('producer')}`,
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  });

  it('a well-formed question about a bad token is no error', async () => {
    for (const token of ['a', 'a.b.c', '%00', '\u{1F600}', 'a'.repeat(60_000)]) await expectInactive(token);
  });
});

describe('RFC 7662, 4: security', () => {
  it('expiry is checked, and a token without one is not active', async () => {
    await expectInactive(await issueOpaque({ iat: now() - 100, exp: now() }));
  });

  it('a start time is checked', async () => {
    await expectInactive(await issueJwt({}, { nbf: now() + 60 }));
    await expectActive(await issueJwt({}, { nbf: now() - 60 }));
  });

  it('revocation is checked at answer time', async () => {
    const token = await issueJwt({ sub: 'chat-u-77' });
    await expectActive(token);
    const rule = await service.revoke({ user: { iss: RAS, sub: 'chat-u-77' } }, 'block');
    await expectInactive(token);
    await service.lift(rule);
    await expectActive(token);
  });

  it.each<[string, (text: string) => string]>([
    ['the second value of its ECDSA signature', mirrorSignature],
    ['other padding bits', respellPadding],
  ])('a revoked JWT is not revived by %s', async (_, respell) => {
    const jti = randomUUID();
    const token = await issueJwt({ jti });
    await expectActive(respell(token));
    await service.revoke({ token: { iss: RAS, jti } });
    await expectInactive(token);
    await expectInactive(respell(token));
  });

  it.each<[string, () => Promise<string>]>([
    ['another key under the same kid', () => issueJwt({}, {}, {}, parties.strangerKey)],
    ['no signature', async () => `${(await issueJwt({}, {}, { alg: 'none' })).split('.').slice(0, 2).join('.')}.AA`],
    [
      'a signature over other claims',
      async () => {
        const [header, , signature] = (await issueJwt()).split('.');
        const [, payload] = (await issueJwt()).split('.');
        return `${header}.${payload}.${signature}`;
      },
    ],
  ])('the signature is validated: %s', async (_, make) => {
    await expectInactive(await make());
  });

  it.each([rasKey, parties.rasRsaKey, parties.rasPssKey])('the signature is validated: $alg', async (key) => {
    await expectActive(await issueJwt({}, {}, {}, key));
  });

  it('tokens that a removed key verified are dropped', async () => {
    const token = await issueJwt({}, {}, {}, parties.rasPssKey);
    await expectActive(token);
    const { name: _name, uri: _uri, ...rest } = SOURCES['chat'] as Record<string, unknown>;
    await service.updateSource('chat', { ...rest, jwks: { keys: [rasKey.jwk, parties.rasRsaKey.jwk] } });
    await expectInactive(token);
    await service.updateSource('chat', rest);
    await expectActive(token);
  });

  it('the text of a token must agree with its recorded facts', async () => {
    await expectInactive(await issueJwt({}, { scope: 'chat.admin' }));
    await expectInactive(await issueJwt({ cnf: { jkt: digestOf('key') } }, { cnf: { jkt: digestOf('other') } }));
    await expectInactive(await issueJwt({}, { cnf: { jkt: digestOf('key') } }));
  });

  it('members that the text does not state come from the recorded facts', async () => {
    const cnf = { jkt: digestOf('key') };
    const answer = await expectActive(
      await issueJwt({ cnf }, { cnf: undefined, scope: undefined, client_id: undefined, sub: undefined }),
    );
    expect(answer).toMatchObject({
      cnf,
      token_type: 'DPoP',
      scope: 'chat.read chat.history',
      client_id: 'wiki-at-chat',
      sub: 'chat-u-1',
    });
  });

  it('only the resource servers that a token is limited to see it', async () => {
    const text = `at_${randomUUID()}`;
    await service.emit(
      'crm',
      'token.issued',
      parties.tokenFacts(now(), { iss: OTHER_RAS, aud: [OTHER_API], sha256: digestOf(text) }),
    );
    await expectActive(text, { as: 'crm-api' });
    await expectInactive(text, { as: 'chat-api' });
  });

  it('an active answer is not cached', async () => {
    expect((await ask(await issueOpaque())).headers.get('cache-control')).toBe('no-store');
  });
});

describe('open question B9: the RAS in its `aud` asks about an ID-JAG', () => {
  const idJag = (over: object = {}): string =>
    signJwt(idpKey, { ...parties.idJagClaims(now()), jti: randomUUID(), ...over }, { typ: 'oauth-id-jag+jwt' });
  const asRas = { as: 'chat-login', hint: ID_JAG_HINT };

  it('is active with its claims before anybody has reported it', async () => {
    expect(await expectActive(idJag(), asRas)).toMatchObject({
      iss: IDP,
      sub: 'u-1',
      aud: RAS,
      client_id: 'wiki-at-chat',
    });
  });

  it('is inactive to anybody else, and without the hint', async () => {
    await expectInactive(idJag(), { as: 'chat-api', hint: ID_JAG_HINT });
    await expectInactive(idJag({ aud: OTHER_RAS }), asRas);
    await expectInactive(idJag(), { as: 'chat-login' });
    await expectInactive(idJag(), { as: 'chat-login', hint: 'access_token' });
  });

  it('is stopped by a rule on its user, whether reported or not', async () => {
    const sub = `u-${randomUUID()}`;
    const jti = randomUUID();
    const text = idJag({ sub, jti });
    await expectActive(text, asRas);
    await service.revoke({ user: { iss: IDP, sub } }, 'block');
    await expectInactive(text, asRas);
    await service.emit('idp', 'id-jag.issued', parties.idJagFacts(now(), { sub, jti: randomUUID() }));
    await expectInactive(idJag({ sub }), asRas);
  });
});

describe('lineage of several hops', () => {
  it('is stopped with a token that it came from', async () => {
    const refresh = `rt_${randomUUID()}`;
    const parent = { sha256: digestOf(refresh) };
    await service.emit(
      'chat',
      'token.issued',
      parties.tokenFacts(now(), { kind: 'refresh', exp: undefined, aud: [RAS], ...parent }),
    );
    const access = await issueOpaque({ parent, id_jag: undefined });
    await expectActive(access);
    expect(await expectActive(refresh, { as: 'chat-login' })).not.toHaveProperty('token_type');
    await expectInactive(refresh, { as: 'chat-api' });
    await service.revoke({ token: parent });
    await expectInactive(access);
    await expectInactive(refresh, { as: 'chat-login' });
  });
});
