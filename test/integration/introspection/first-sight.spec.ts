import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import { eventType, type TokenIssued, type TokenSeen } from '../../../src/contracts/index.js';
import { makeKey, signJwt, type SigningKey } from '../../conformance/signing.js';
import { askToken } from '../feeds/feed-client.js';
import { startFeedService, type FeedService } from '../feeds/feed-service.js';

const OKTA = 'https://acme.okta.example/oauth2/default';
const API = 'api://default';
const OTHER_API = 'api://other';
/** A rule stops every token for this resource. */
const REVOKED_API = 'api://revoked';
const key = makeKey('RS256', 'okta-1');
const stranger = makeKey('RS256', 'okta-1');

describe('a token that no event announced, of a source whose profile asks for none', () => {
  let service: FeedService;
  let home: string;
  beforeAll(async () => {
    service = await startFeedService();
    home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-cli-`));
    await service.admin('POST', '/v1/sources', {
      name: 'okta',
      uri: 'urn:acme:okta',
      types: ['token.issued'],
      issuers: [OKTA],
      resources: [API, OTHER_API, REVOKED_API],
      jwks: { keys: [key.jwk] },
      profile: { preset: 'okta', announced: 'optional' },
    });
    await service.register('okta-api', { introspect: { resources: [API, REVOKED_API], issuers: [OKTA] } });
    await service.register('okta-guard', { guard: { resources: [API], issuers: [OKTA] } });
    await service.register('okta-log', { emit: { sources: ['okta'] } });
  });
  afterAll(async () => {
    await service.stop();
    await rm(home, { recursive: true, force: true });
  });

  const now = (): number => Math.floor(Date.now() / 1000);
  /** Its event is awaited no longer. */
  const claimsOf = (over: object = {}) => ({
    ver: 1,
    jti: `AT.${randomUUID()}`,
    iss: OKTA,
    aud: API,
    cid: '0oa-wiki',
    uid: '00u1',
    scp: ['openid', 'read'],
    sub: `${randomUUID()}@acme.example`,
    iat: now() - 120,
    exp: now() + 3_480,
    ...over,
  });
  const sign = (claims: object, signer: SigningKey = key): string => signJwt(signer, claims, { typ: undefined });

  /** A node that cannot tell now, as on a busy machine, says so and is asked again. */
  async function untilDecided<T extends { readonly status: number }>(send: () => Promise<T>): Promise<T> {
    for (let answer = await send(); ; answer = await send()) {
      if (answer.status !== 503) return answer;
      await delay(50);
    }
  }
  async function ask(token: string, at = service.url): Promise<any> {
    const headers = { authorization: service.basic('okta-api') };
    const response = await untilDecided(() =>
      fetch(`${at}/introspect`, { method: 'POST', headers, body: new URLSearchParams({ token }) }),
    );
    return response.status === 200 ? response.json() : response.status;
  }
  const tokenOf = (jti: string): Promise<any> =>
    service.call('GET', `/v1/tokens?${new URLSearchParams({ iss: OKTA, jti })}`, 'auditor');

  async function seen(): Promise<
    { mode: string; ix: string; event: { id: string; source: string; data: TokenSeen } }[]
  > {
    const { rows } = await service.database.pool.query<{ ix: string; mode: string; bytes: Buffer }>(
      'SELECT p.ix, p.mode, p.bytes FROM entry e JOIN payload p USING (tenant, ix) WHERE e.type = $1 ORDER BY e.ix',
      [eventType('token.seen')],
    );
    return rows.map(({ ix, mode, bytes }) => ({ ix, mode, event: JSON.parse(bytes.toString()) }));
  }
  const seenOf = async (jti: string) => (await seen()).filter(({ event }) => event.data.jti === jti);

  async function emit(data: object, name: 'token.issued' | 'token.seen' = 'token.issued'): Promise<any> {
    const event = {
      specversion: '1.0',
      type: eventType(name),
      source: 'urn:acme:okta',
      id: randomUUID(),
      time: new Date().toISOString(),
      data,
    };
    const response = await fetch(`${service.url}/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${service.secret('okta-log')}`,
        'content-type': 'application/cloudevents+json',
      },
      body: JSON.stringify(event),
    });
    return response.json();
  }
  const factsOf = ({ iss, jti, sub, cid, aud, scp, iat, exp }: ReturnType<typeof claimsOf>): TokenIssued => ({
    kind: 'access',
    iss,
    jti,
    sub,
    client_id: cid,
    aud: [aud],
    scope: scp.join(' '),
    iat,
    exp,
  });

  it('is active at the first question, and recorded once, whichever nodes are asked at the same time', async () => {
    const withoutIngest = await service.another({ ROLES: 'serve,feed' });
    const claims = claimsOf();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => ask(sign(claims), n % 2 === 0 ? service.url : withoutIngest.url)),
    );
    const answer = {
      active: true,
      iss: OKTA,
      sub: claims.sub,
      client_id: '0oa-wiki',
      aud: API,
      scope: 'openid read',
      token_type: 'Bearer',
      exp: claims.exp,
      iat: claims.iat,
      jti: claims.jti,
    };
    expect(answers).toEqual(answers.map(() => answer));

    const [entry, ...more] = await seenOf(claims.jti);
    const { kind: _, ...facts } = factsOf(claims);
    expect([entry, more]).toEqual([
      {
        ix: expect.any(String),
        mode: 'own',
        event: expect.objectContaining({
          source: expect.stringMatching(/^urn:rescind:/),
          data: { source: expect.any(String), ...facts },
        }),
      },
      [],
    ]);
    expect(await tokenOf(claims.jti)).toMatchObject({
      index: entry!.ix,
      source: { name: 'okta' },
      facts: factsOf(claims),
      conflict: null,
      user: { iss: OKTA, sub: claims.sub },
      client: { iss: OKTA, client_id: '0oa-wiki' },
      would_be_active: true,
      because: [],
    });
  });

  it('is recorded by a node that takes no events, and known at every other', async () => {
    const withoutIngest = await service.another({ ROLES: 'serve,feed' });
    const token = sign(claimsOf());
    expect([
      await ask(token, withoutIngest.url),
      await ask(token),
      await ask(token, (await service.another()).url),
    ]).toEqual(Array.from({ length: 3 }, () => expect.objectContaining({ active: true })));
    expect(
      (await seen()).filter(
        ({ event }) =>
          event.data.jti ===
          (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { jti: string }).jti,
      ),
    ).toHaveLength(1);
  });

  it('is active for a guard, too', async () => {
    const claims = claimsOf();
    expect(
      await untilDecided(() => askToken(service.url, service.basic('okta-guard'), { token: sign(claims) })),
    ).toMatchObject({ status: 200 });
    expect(await seenOf(claims.jti)).toHaveLength(1);
  });

  it.each<[string, (claims: ReturnType<typeof claimsOf>) => object]>([
    ['user', ({ sub }) => ({ user: { iss: OKTA, sub } })],
    ['client', ({ cid }) => ({ client: { iss: OKTA, client_id: cid } })],
    ['resource', ({ aud }) => ({ resource: aud })],
  ])(
    'is stopped by a rule on its %s before the order returns, even if the first question comes only then',
    async (_, selectorOf) => {
      const known = claimsOf({ cid: `0oa-${randomUUID()}`, aud: REVOKED_API });
      const later = { ...known, jti: `AT.${randomUUID()}` };
      expect(await ask(sign(known))).toMatchObject({ active: true });
      await service.order(selectorOf(known));
      expect([await ask(sign(known)), await ask(sign(later))]).toEqual([{ active: false }, { active: false }]);
    },
  );

  it.each<[string, (claims: ReturnType<typeof claimsOf>) => string]>([
    ['is forged', (claims) => sign(claims, stranger)],
    ['is for another’s API', (claims) => sign({ ...claims, aud: 'api://elsewhere' })],
    ['is for an API that the caller does not have', (claims) => sign({ ...claims, aud: OTHER_API })],
    ['lives too long', (claims) => sign({ ...claims, exp: claims.iat + 86_401 })],
    ['has ended', (claims) => sign({ ...claims, exp: now() - 1 })],
    ['is an ID token', ({ cid, ...claims }) => sign({ ...claims, aud: cid, nonce: 'n' })],
    ['is an ID token for the API itself', (claims) => sign({ ...claims, cid: undefined })],
    ['names a user that no event may name', (claims) => sign({ ...claims, sub: 'u\0' })],
  ])('is inactive and not recorded if it %s', async (_, textOf) => {
    const claims = claimsOf();
    expect([await ask(textOf(claims)), await seenOf(claims.jti)]).toEqual([{ active: false }, []]);
    await expect(tokenOf(claims.jti)).rejects.toThrow(/: 404 /);
  });

  it('is contradicted by a later event with other facts, and by no other', async () => {
    const [same, other] = [claimsOf(), claimsOf()];
    for (const claims of [same, other]) expect(await ask(sign(claims))).toMatchObject({ active: true });
    expect([await emit(factsOf(same)), await emit({ ...factsOf(other), scope: 'openid read write' })]).toEqual([
      expect.objectContaining({ state: 'sequenced' }),
      expect.objectContaining({ state: 'sequenced' }),
    ]);
    expect([await ask(sign(same)), await ask(sign(other))]).toEqual([
      expect.objectContaining({ active: true }),
      { active: false },
    ]);
    expect((await tokenOf(same.jti)).conflict).toBeNull();
  });

  it('has the facts of the event that came first', async () => {
    const claims = claimsOf();
    expect(await emit(factsOf(claims))).toMatchObject({ state: 'sequenced' });
    expect([await ask(sign(claims)), await seenOf(claims.jti)]).toEqual([
      expect.objectContaining({ active: true }),
      [],
    ]);
  });

  it('is announced by Rescind alone', async () => {
    const { kind: _, ...facts } = factsOf(claimsOf());
    expect(await emit({ source: 'okta', ...facts }, 'token.seen')).toMatchObject({ error: 'type-not-allowed' });
  });

  it('is the same after a rebuild', async () => {
    const before = await seen();
    const written: string[] = [];
    const sink = (): Writable =>
      new Writable({ write: (chunk: Buffer, _, done) => (written.push(chunk.toString()), done()) });
    const env = { RESCIND_HOME: home, DATABASE_URL: service.database.url, KAFKA_BROKERS: 'none', LOG_LEVEL: 'silent' };
    const code = await run(['rebuild', 'all', '--json'], { env, out: sink(), err: sink(), stdin: Readable.from([]) });
    expect([code, written.join('')]).toEqual([0, expect.stringContaining('"switched":true')]);
    const claims = before.at(-1)!.event.data;
    expect(await tokenOf(claims.jti!)).toMatchObject({ facts: { jti: claims.jti, sub: claims.sub } });
    expect(await seen()).toEqual(before);
  });

  it('is in no count of the source’s own events', async () => {
    const { rows } = await service.database.pool.query<{ what: string }>(
      "SELECT DISTINCT what FROM source_count WHERE source = (SELECT body ->> 'id' FROM control_log WHERE kind = 'source.changed' AND body ->> 'name' = 'okta' LIMIT 1)::uuid ORDER BY what",
    );
    expect(rows.map(({ what }) => what)).toEqual(['token', 'token.issued']);
  });
});

describe('a node that takes no events', () => {
  let service: FeedService;
  beforeAll(async () => {
    service = await startFeedService({ ROLES: 'serve,feed' });
  });
  afterAll(() => service.stop());

  it('records tokens at first sight, and leaves the entries of orders to the processes that take events', async () => {
    await service.admin('POST', '/v1/sources', {
      name: 'okta',
      uri: 'urn:acme:okta',
      types: ['token.issued'],
      issuers: [OKTA],
      resources: [API],
      jwks: { keys: [key.jwk] },
      profile: { preset: 'okta', announced: 'optional' },
    });
    await service.register('okta-api', { introspect: { resources: [API], issuers: [OKTA] } });
    await service.order({ user: { iss: OKTA, sub: 'somebody else' } });
    const at = Math.floor(Date.now() / 1000);
    const token = signJwt(
      key,
      { jti: 'AT.1', iss: OKTA, aud: API, cid: '0oa-wiki', sub: 'ann', iat: at - 120, exp: at + 600 },
      { typ: undefined },
    );
    const ask = () =>
      fetch(`${service.url}/introspect`, {
        method: 'POST',
        headers: { authorization: service.basic('okta-api') },
        body: new URLSearchParams({ token }),
      });
    let answer = await ask();
    for (; answer.status === 503; answer = await ask()) await delay(50);
    expect(await answer.json()).toMatchObject({ active: true });
    const { rows } = await service.database.pool.query<{ type: string }>('SELECT type FROM entry WHERE type <> $1', [
      eventType('key.used'),
    ]);
    expect(rows).toEqual([{ type: eventType('token.seen') }]);
  });
});
