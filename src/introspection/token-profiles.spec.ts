import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryWorld, NOW, type MemoryWorld } from '../../test/conformance/memory-world.js';
import * as parties from '../../test/conformance/parties.js';
import { digestOf, makeKey, signingInput, signJwt, type SigningKey } from '../../test/conformance/signing.js';
import type { TokenIssued } from '../contracts/index.js';
import { SIGNING_ALGORITHMS } from '../contracts/index.js';
import type { SourceRecord, TokenProfile } from '../control/index.js';

const { API, IDP, RAS, rasKey } = parties;
const INACTIVE = '{"active":false}';
const FOREIGN = 'account';

let world: MemoryWorld;
beforeEach(() => {
  world = createMemoryWorld();
});

const register = (body: SourceRecord): void =>
  void world.apply({ kind: 'source.changed', tenant: parties.TENANT.id, subject: body.id, body });
const changeSource = (profile: Partial<TokenProfile>, over: Partial<SourceRecord> = {}): void =>
  register({ ...parties.RAS_SOURCE, ...over, profile: { ...parties.RAS_SOURCE.profile, ...profile } });
const ask = async (token: string, as?: string): Promise<string | undefined> => (await world.ask(token, as)).body;
const isActive = async (token: string, as?: string): Promise<boolean> => (await ask(token, as)) !== INACTIVE;

const facts = (over: Partial<TokenIssued> = {}): TokenIssued => parties.tokenFacts(NOW, { jti: 'at-1', ...over });
const text = (claims: object = {}, header: object = {}, key: SigningKey = rasKey): string =>
  signJwt(key, { ...parties.claimsOf(facts()), ...claims }, header);

describe('the header `typ`', () => {
  it.each<[TokenProfile['typ'], unknown, boolean]>([
    [['JWT', 'at+jwt'], 'JWT', true],
    [['JWT', 'at+jwt'], 'application/at+JWT', true],
    [['JWT', 'at+jwt'], undefined, false],
    [[null], undefined, true],
    [[null], 'JWT', false],
    [[null, 'JWT'], 'jwt', true],
    [[null], null, false],
    [[null], '', false],
    [['logout+jwt', 'JWT'], 'logout+jwt', false],
    [['secevent+jwt', null], 'secevent+jwt', false],
  ])('of a profile with %j may be %j: %s', async (typ, header, isTaken) => {
    changeSource({ typ });
    world.recordToken(facts());
    expect(await isActive(text({}, { typ: header }))).toBe(isTaken);
    expect(await world.count(isTaken ? 'active' : 'unverified')).toBe(1);
  });

  it('of an ID-JAG is never an access token’s', async () => {
    changeSource({ typ: ['oauth-id-jag+jwt', 'JWT'] });
    world.recordToken(facts());
    expect([await isActive(text({}, { typ: 'oauth-id-jag+jwt' })), await world.count('wrong-kind')]).toEqual([
      false,
      1,
    ]);
  });
});

describe('the claim that identifies a JWT', () => {
  const anonymous = (claims: object): [text: string, digest: string] => [
    text(claims),
    digestOf(signingInput(rasKey, { ...parties.claimsOf(facts()), ...claims })),
  ];

  it('is the first of those that the profile names', async () => {
    changeSource({ identity: ['uti', 'jti'] });
    world.recordToken(facts({ jti: 'u-1' }));
    expect(await isActive(text({ uti: 'u-1' }))).toBe(true);
    expect(await isActive(text({ jti: 'u-1' }))).toBe(true);
    expect(await isActive(text({ uti: 'u-2', jti: 'u-1' }))).toBe(false);
  });

  it('is the signing input where none of them is there', async () => {
    changeSource({ identity: ['uti'] });
    const [token, digest] = anonymous({});
    world.recordToken(facts({ jti: undefined, signing_input_sha256: digest }));
    expect(await isActive(token)).toBe(true);
  });

  it('may be the signing input though there is a `jti`; a rule on it stops the token', async () => {
    changeSource({ identity: [] });
    const [token, digest] = anonymous({ jti: 'at-9' });
    world.recordToken(facts({ jti: undefined, signing_input_sha256: digest }));
    world.recordToken(facts({ jti: 'at-9' }));
    expect(JSON.parse((await ask(token))!)).toMatchObject({ active: true });
    world.order({ token: { signing_input_sha256: digest } });
    expect([await isActive(token), await world.count('stopped-by-rule')]).toEqual([false, 1]);
  });

  it.each<[string, unknown]>([
    ['no text', 7],
    ['empty', ''],
    ['null', null],
  ])('cannot be %s', async (_, uti) => {
    changeSource({ identity: ['uti', 'jti'] });
    world.recordToken(facts());
    expect([await isActive(text({ uti })), await world.count('malformed')]).toEqual([false, 1]);
  });

  it('is the same for `POST /revoke`', async () => {
    changeSource({ identity: ['uti'], typ: ['JWT'] });
    const tenant = world.state.tenant(parties.TENANT.id)!;
    const identify = (claims: object) => world.verifier.identify(tenant, text(claims, { typ: 'JWT' }));
    expect(await identify({ uti: 'u-1', client_id: undefined, azp: 'wiki' })).toMatchObject({
      kind: 'jwt',
      iss: RAS,
      jti: 'u-1',
      client_id: 'wiki',
    });
    expect(await identify({ client_id: undefined })).toMatchObject({
      kind: 'jwt',
      jti: undefined,
      client_id: undefined,
    });
    expect(await identify({ uti: 'u-1', azp: 'other' })).toEqual({ kind: 'refused' });
    expect(await identify({ uti: 7 })).toEqual({ kind: 'refused' });
  });

  it('of an ID-JAG stays the `jti`', async () => {
    register({ ...parties.IDP_SOURCE, profile: { ...parties.IDP_SOURCE.profile, identity: ['uti'] } });
    const idJag = signJwt(parties.idpKey, { ...parties.idJagClaims(NOW), uti: 'other' }, { typ: 'oauth-id-jag+jwt' });
    world.recordIdJag(parties.idJagFacts(NOW, { sub: 'u-2' }));
    await world.ask(idJag, parties.basic('chat-login'), 'urn:ietf:params:oauth:token-type:id-jag');
    expect(await world.count('mismatch')).toBe(1);
  });
});

describe('lineage by grant', () => {
  const PLAIN = { id_jag: undefined };
  const UNCONFIRMED = {};
  it.each<[TokenProfile['lineage'], Partial<TokenIssued>, string]>([
    [{ id_jag: 'stated', other: 'none' }, PLAIN, 'active'],
    [{ id_jag: 'stated', other: 'none' }, UNCONFIRMED, 'active'],
    [{ id_jag: 'stated', other: 'none' }, { id_jag: { iss: IDP, jti: 'gr-1' } }, 'lineage-incomplete'],
    [{ id_jag: 'none', other: 'none' }, { id_jag: { iss: IDP, jti: 'gr-1' } }, 'active'],
    [{ id_jag: 'none', other: 'stated' }, PLAIN, 'lineage-missing'],
    [{ id_jag: 'none', other: 'confirmed' }, PLAIN, 'lineage-missing'],
    [{ id_jag: 'confirmed', other: 'none' }, UNCONFIRMED, 'lineage-incomplete'],
    [{ id_jag: 'confirmed', other: 'none' }, PLAIN, 'active'],
    [{ id_jag: 'later' as never, other: 'none' }, UNCONFIRMED, 'lineage-missing'],
  ])('%j, a token with %j: %s', async (lineage, over, outcome) => {
    changeSource({ lineage });
    world.recordToken(facts(over));
    await ask(text());
    expect(await world.count(outcome)).toBe(1);
  });

  it('a token whose ID-JAG its IdP reported is active where it must be confirmed', async () => {
    changeSource({ lineage: { id_jag: 'confirmed', other: 'none' } });
    world.recordIdJag(parties.idJagFacts(NOW));
    world.recordToken(facts());
    expect(await isActive(text())).toBe(true);
  });
});

describe('algorithms', () => {
  const keys = SIGNING_ALGORITHMS.map((alg) => makeKey(alg, alg));
  const jwks = { keys: keys.map(({ jwk }) => jwk) };

  it.each(keys)('$alg is verified where the profile has it, with a key that it is for', async (key) => {
    changeSource({ algorithms: SIGNING_ALGORITHMS }, { jwks });
    world.recordToken(facts());
    expect(await isActive(text({}, {}, key))).toBe(true);
    expect(await isActive(text({}, {}, { ...makeKey(key.alg, key.alg), kid: key.kid }))).toBe(false);
    expect(await isActive(text({}, { kid: keys.find(({ alg }) => alg !== key.alg)!.kid }, key))).toBe(false);
    expect(await isActive(`${text({}, {}, key).slice(0, -4)}`)).toBe(false);
  });

  it('of no source of the issuer leave a text that is looked up by its digest', async () => {
    const [token, forged] = [text({}, { alg: 'HS512' }), text({ sub: 'x' }, { alg: 'HS512' })];
    world.recordToken(facts({ jti: undefined, sha256: digestOf(token) }));
    expect([await isActive(token), await isActive(forged), await world.count('unknown')]).toEqual([true, false, 1]);
    const tenant = world.state.tenant(parties.TENANT.id)!;
    expect(await world.verifier.identify(tenant, token)).toEqual({ kind: 'opaque', sha256: digestOf(token) });
  });

  it.each<[string, () => void, string]>([
    ['its source takes the algorithm', () => changeSource({}), 'unknown'],
    [
      'another source of the issuer takes the algorithm',
      () => (
        changeSource({ algorithms: ['RS256'] }),
        register({ ...parties.RAS_SOURCE, id: parties.IDP_SOURCE.id, name: 'second', uri: 'urn:second' })
      ),
      'unknown',
    ],
    [
      'a source that takes the algorithm is disabled',
      () => (
        changeSource({ algorithms: ['RS256'] }),
        register({
          ...parties.RAS_SOURCE,
          id: parties.IDP_SOURCE.id,
          name: 'second',
          uri: 'urn:second',
          disabled: true,
        })
      ),
      'unknown',
    ],
    ['no source speaks for the issuer', () => changeSource({}, { issuers: ['https://new.example'] }), 'unknown'],
  ])('a JWT is not looked up by its digest where %s', async (_, change, outcome) => {
    change();
    const token = text({ iat: NOW - 100 });
    world.recordToken(facts({ jti: undefined, sha256: digestOf(token) }));
    expect([await isActive(token), await world.count(outcome)]).toEqual([false, 1]);
  });

  it('that only another tenant’s source takes do not count', async () => {
    changeSource({ algorithms: ['RS256'] });
    const [tenant, id] = ['99999999-9999-4999-8999-999999999991', '99999999-9999-4999-8999-999999999992'];
    world.apply({
      kind: 'tenant.changed',
      tenant,
      subject: tenant,
      body: { ...parties.TENANT, id: tenant, name: 'globex' },
    });
    world.apply({
      kind: 'source.changed',
      tenant,
      subject: id,
      body: { ...parties.RAS_SOURCE, id, name: 'foreign', uri: 'urn:foreign' },
    });
    const token = text();
    world.recordToken(facts({ jti: undefined, sha256: digestOf(token) }));
    expect(await isActive(token)).toBe(true);
  });
});

describe('a new JWT that is not recorded yet', () => {
  const soon = (): NodeJS.Timeout => setTimeout(() => world.recordToken(facts()), 30);

  it.each<[string, Partial<TokenProfile>, unknown, boolean]>([
    ['is waited for by its default resource', { default_resource: API, ignored_audiences: [FOREIGN] }, FOREIGN, true],
    ['is waited for without an audience by its default resource', { default_resource: API }, undefined, true],
    ['is not waited for without one', {}, undefined, false],
    ['is not waited for with an audience that is none', { default_resource: API }, 7, false],
  ])('%s', async (_, profile, aud, isWaitedFor) => {
    changeSource(profile);
    if (isWaitedFor) soon();
    expect(await isActive(text({ aud }))).toBe(isWaitedFor);
    if (!isWaitedFor) expect([world.statements, await world.count('unknown')]).toEqual([1, 1]);
  });

  it.each<[string, object, boolean]>([
    ['of 60 s ago', { iat: NOW - 60 }, true],
    ['of 61 s ago', { iat: NOW - 61 }, false],
    ['60 s ahead', { iat: NOW + 60 }, true],
    ['61 s ahead', { iat: NOW + 61 }, false],
    ['that ends in a second', { exp: NOW + 1 }, true],
    ['that ends now', { exp: NOW }, false],
    ['without an end', { exp: undefined }, false],
    ['without a time of issue', { iat: undefined }, false],
  ])('%s', async (_, claims, isWaitedFor) => {
    await ask(text(claims));
    expect(world.statements).toBe(isWaitedFor ? 5 : 1);
  });

  it('is looked for no more once it has verified and another turn finds it old', async () => {
    const token = text({ iat: NOW - 60 });
    world.recordToken(facts({ iat: NOW - 60, parent: { iss: RAS, jti: 'rt-unknown' } }));
    await ask(token);
    world.now = NOW + 1;
    const before = world.statements;
    await ask(token);
    expect([world.statements - before, await world.count('lineage-incomplete')]).toEqual([1, 2]);
  });
});

describe('times', () => {
  it.each<[string, Partial<TokenIssued>, object, string]>([
    ['issued as far ahead as clocks may differ', { iat: NOW + 5 }, {}, 'active'],
    ['valid as far ahead as clocks may differ', {}, { nbf: NOW + 5 }, 'active'],
    ['as long-lived as the profile allows', { iat: NOW - 30, exp: NOW - 30 + 86_400 }, {}, 'active'],
    ['of the last second', { exp: NOW + 1 }, {}, 'active'],
    [
      'of a lineage that is as old as may be',
      { id_jag: { iss: IDP, jti: 'gr-1', sub: 'u-1', iat: NOW - 30 * 86_400 } },
      {},
      'active',
    ],
  ])('a token %s is active', async (_, over, claims, outcome) => {
    const recorded = facts(over);
    world.recordToken(recorded);
    await ask(signJwt(rasKey, { ...parties.claimsOf(recorded), ...claims }));
    expect(await world.count(outcome)).toBe(1);
  });
});

it('a token whose lineage is not complete is looked up on each call, also once its signature is known', async () => {
  world.recordToken(facts({ iat: NOW - 100 }));
  const token = text({ iat: NOW - 100 });
  expect([await isActive(token), await isActive(token), world.statements]).toEqual([true, true, 2]);
});

it('a token in memory answers as one that was read', async () => {
  world.recordIdJag(parties.idJagFacts(NOW));
  const recorded = facts({
    jti: 'at-"é"',
    acr: 'urn:acr',
    auth_time: NOW - 60,
    cnf: { 'x5t#S256': digestOf('certificate') },
    act: { sub: 'agent' },
  });
  world.recordToken(recorded);
  const token = signJwt(rasKey, parties.claimsOf(recorded));
  const expected = {
    active: true,
    iss: RAS,
    sub: 'chat-u-1',
    client_id: 'wiki-at-chat',
    aud: API,
    scope: 'chat.read chat.history',
    token_type: 'Bearer',
    exp: NOW + 870,
    iat: NOW - 30,
    jti: 'at-"é"',
    cnf: recorded.cnf,
    act: { sub: 'agent' },
    auth_time: NOW - 60,
    acr: 'urn:acr',
  };
  expect([JSON.parse((await ask(token))!), JSON.parse((await ask(token))!), world.statements]).toEqual([
    expected,
    expected,
    1,
  ]);
});
