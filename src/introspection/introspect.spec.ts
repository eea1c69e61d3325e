import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryWorld, NOW, type MemoryWorld } from '../../test/conformance/memory-world.js';
import * as parties from '../../test/conformance/parties.js';
import {
  digestOf,
  makeKey,
  mirrorSignature,
  respellPadding,
  signingInput,
  signJwt,
  type SigningKey,
} from '../../test/conformance/signing.js';
import type { TokenIssued } from '../contracts/index.js';
import type { CallerRecord, SourceRecord, TokenProfile } from '../control/index.js';
import type { StoredToken } from '../projections/index.js';

const { API, IDP, RAS, OTHER_API, OTHER_RAS, idpKey, rasKey } = parties;
const INACTIVE = '{"active":false}';
const OPAQUE = 'at_6Gq1xYz-opaque';
const TENANT = parties.TENANT.id;

let world: MemoryWorld;
beforeEach(() => {
  world = createMemoryWorld();
});

const changeSource = (source: SourceRecord, over: Partial<SourceRecord>): void =>
  void world.apply({ kind: 'source.changed', tenant: TENANT, subject: source.id, body: { ...source, ...over } });
const changeProfile = (over: Partial<TokenProfile>): void =>
  changeSource(parties.RAS_SOURCE, { profile: { ...parties.RAS_SOURCE.profile, ...over } });
const changeCaller = (caller: CallerRecord, over: Partial<CallerRecord>): void =>
  void world.apply({ kind: 'caller.changed', tenant: TENANT, subject: caller.id, body: { ...caller, ...over } });

/** Speaks for the same issuer, and would be right if it were this tenant's. */
function sourceOfAnotherTenant(): string {
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
  return id;
}

/** Records a JWT access token and returns its text; `claims` and `header` change the text alone. */
function jwt(
  over: Partial<TokenIssued> = {},
  claims: object = {},
  header: object = {},
  key: SigningKey = rasKey,
  stored: Partial<StoredToken> = {},
): string {
  const facts = parties.tokenFacts(NOW, { jti: 'at-1', ...over });
  world.recordToken(facts, stored);
  return signJwt(key, { ...parties.claimsOf(facts), ...claims }, header);
}

function opaque(over: Partial<TokenIssued> = {}, stored: Partial<StoredToken> = {}): string {
  world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf(OPAQUE), ...over }), stored);
  return OPAQUE;
}

/** A JWT without `jti`, identified by its signing input. */
function anonymousJwt(over: Partial<TokenIssued> = {}, key: SigningKey = rasKey): string {
  const claims = parties.claimsOf(parties.tokenFacts(NOW, over));
  world.recordToken(parties.tokenFacts(NOW, { signing_input_sha256: digestOf(signingInput(key, claims)), ...over }));
  return signJwt(key, claims);
}

const withParent = (parent: TokenIssued): string => {
  world.recordToken(parent);
  return opaque({ parent: { sha256: parent.sha256! }, id_jag: undefined });
};
const refreshFacts = (over: Partial<TokenIssued> = {}): TokenIssued =>
  parties.tokenFacts(NOW, { kind: 'refresh', sha256: digestOf('rt_1'), exp: undefined, ...over });

const body = async (token: string, as?: string, hint?: string): Promise<string | undefined> =>
  (await world.ask(token, as, hint)).body;

describe('a token that nothing speaks against', () => {
  it.each<[string, () => string]>([
    ['an opaque one', () => opaque()],
    ['a JWT', () => jwt()],
    ['a JWT without jti', () => anonymousJwt()],
    ['a JWT signed with RS256', () => jwt({}, {}, {}, parties.rasRsaKey)],
    ['a JWT signed with PS256', () => jwt({}, {}, {}, parties.rasPssKey)],
    ['a JWT without kid', () => jwt({}, {}, { kid: undefined })],
    ['a JWT whose typ is spelled as the whole media type', () => jwt({}, {}, { typ: 'application/AT+JWT' })],
    ['a JWT that names its scopes in another order', () => jwt({}, { scope: 'chat.history chat.read' })],
    ['a JWT with its audience as an array', () => jwt({}, { aud: [API] })],
    ['one whose resource is the caller’s, not its aud', () => opaque({ aud: ['urn:chat'], resource: [API] })],
    ['one that came of a refresh token that states the ID-JAG', () => withParent(refreshFacts())],
    [
      'one whose RAS leaves it to the IdP to say whose ID-JAG it was',
      () => (world.recordIdJag(parties.idJagFacts(NOW)), opaque({ id_jag: { iss: IDP, jti: 'gr-1' } })),
    ],
    [
      'one without ID-JAG where the profile asks for none',
      () => (changeProfile({ lineage: { id_jag: 'none', other: 'none' } }), opaque({ id_jag: undefined })),
    ],
    [
      'one whose ID-JAG the IdP confirms',
      () => (
        changeProfile({ lineage: { id_jag: 'confirmed', other: 'confirmed' } }),
        world.recordIdJag(parties.idJagFacts(NOW)),
        opaque()
      ),
    ],
  ])('is active: %s', async (_, make) => {
    expect(JSON.parse((await body(make())) ?? '{}')).toMatchObject({
      active: true,
      iss: RAS,
      sub: 'chat-u-1',
      client_id: 'wiki-at-chat',
    });
    expect(await world.count('active')).toBe(1);
  });

  it('answers with what was recorded, as issued', async () => {
    const cnf = { jkt: digestOf('key') };
    const act = { iss: IDP, sub: 'agent-42', act: { sub: 'orchestrator' } };
    expect(JSON.parse((await body(jwt({ cnf, act })))!)).toEqual({
      active: true,
      iss: RAS,
      sub: 'chat-u-1',
      client_id: 'wiki-at-chat',
      aud: API,
      scope: 'chat.read chat.history',
      token_type: 'DPoP',
      exp: NOW + 870,
      iat: NOW - 30,
      jti: 'at-1',
      cnf,
      act,
    });
  });

  it('says nothing of how a refresh token is to be presented, and says it to the RAS alone', async () => {
    world.recordToken(refreshFacts());
    expect(JSON.parse((await body('rt_1', parties.basic('chat-login')))!)).toEqual({
      active: true,
      iss: RAS,
      sub: 'chat-u-1',
      client_id: 'wiki-at-chat',
      aud: API,
      scope: 'chat.read chat.history',
      iat: NOW - 30,
    });
    expect(await body('rt_1')).toBe(INACTIVE);
  });

  it('is looked up by any hint, also one that names another type', async () => {
    const token = opaque();
    for (const hint of ['refresh_token', 'access_token', 'something else'])
      expect(await body(token, undefined, hint)).not.toBe(INACTIVE);
  });
});

describe('one precondition less, and the answer is the same inactive bytes', () => {
  it.each<[string, string, () => string]>([
    ['it is not recorded', 'unknown', () => 'at_unknown'],
    [
      'it is a JWT of a minute ago that is not recorded',
      'unknown',
      () => signJwt(rasKey, parties.claimsOf(parties.tokenFacts(NOW, { jti: 'x', iat: NOW - 61 }))),
    ],
    ['its audience is another’s', 'not-allowed', () => opaque({ aud: [OTHER_API] })],
    ['its issuer is not accepted', 'not-allowed', () => opaque({ iss: OTHER_RAS })],
    ['it is a refresh token and the caller no RAS', 'not-allowed', () => opaque({ kind: 'refresh' })],
    [
      'its source is disabled',
      'source-refused',
      () => (changeSource(parties.RAS_SOURCE, { disabled: true }), opaque()),
    ],
    [
      'its source speaks for the issuer no longer',
      'source-refused',
      () => (changeSource(parties.RAS_SOURCE, { issuers: ['https://new.example'] }), opaque()),
    ],
    ['its source is another tenant’s', 'source-refused', () => opaque({}, { source: sourceOfAnotherTenant() })],
    ['its source is unknown', 'source-refused', () => opaque({}, { source: '99999999-9999-4999-8999-999999999999' })],
    ['it has expired', 'expired', () => opaque({ exp: NOW })],
    ['it never expires', 'expired', () => opaque({ exp: undefined })],
    ['it lives longer than its source may let it', 'lifetime-too-long', () => opaque({ exp: NOW - 30 + 86_401 })],
    ['it was issued in the future', 'not-yet-valid', () => opaque({ iat: NOW + 6 })],
    ['its text says that it is not valid yet', 'not-yet-valid', () => jwt({}, { nbf: NOW + 6 })],
    ['its text has a start time of another type', 'not-yet-valid', () => jwt({}, { nbf: 'now' })],
    [
      'its lineage is too old',
      'lineage-too-old',
      () => opaque({ id_jag: { iss: IDP, jti: 'gr-1', sub: 'u-1', iat: NOW - 30 * 86_400 - 1 } }),
    ],
    [
      'nobody says whose ID-JAG it came from',
      'lineage-incomplete',
      () => opaque({ id_jag: { iss: IDP, jti: 'gr-1', iat: NOW - 60 } }),
    ],
    ['it states no ID-JAG', 'lineage-missing', () => opaque({ id_jag: undefined })],
    [
      'its ID-JAG is not confirmed though it must be',
      'lineage-incomplete',
      () => (changeProfile({ lineage: { id_jag: 'confirmed', other: 'confirmed' } }), opaque()),
    ],
    ['its parent is not recorded', 'lineage-incomplete', () => opaque({ parent: { iss: RAS, jti: 'rt-unknown' } })],
    ['its lineage is a cycle', 'lineage-broken', () => opaque({ parent: { sha256: digestOf(OPAQUE) } })],
    ['another event says something else of it', 'conflict', () => opaque({}, { conflict: true })],
    [
      'another event says something else of its ID-JAG',
      'conflict',
      () => (world.recordIdJag(parties.idJagFacts(NOW), { conflict: true }), opaque()),
    ],
    [
      'another event says something else of its parent',
      'conflict',
      () => (world.recordToken(refreshFacts(), { conflict: true }), opaque({ parent: { sha256: digestOf('rt_1') } })),
    ],
    [
      'its ID-JAG was issued for another user',
      'lineage-contradictory',
      () => (world.recordIdJag(parties.idJagFacts(NOW, { sub: 'u-2' })), opaque()),
    ],
    [
      'its ID-JAG was issued to another RAS',
      'lineage-contradictory',
      () => (world.recordIdJag(parties.idJagFacts(NOW, { aud: [OTHER_RAS] })), opaque()),
    ],
    [
      'it names more resources than a rule could match',
      'too-many-values',
      () => opaque({ aud: Array.from({ length: 9 }, (_, at) => (at === 0 ? API : `${API}/${at}`)) }),
    ],
    ['a rule stops it', 'stopped-by-rule', () => (world.order({ token: { sha256: digestOf(OPAQUE) } }), opaque())],
    [
      'a rule stops its user at the IdP',
      'stopped-by-rule',
      () => (world.order({ user: { iss: IDP, sub: 'u-1' } }, { effect: 'block' }), opaque()),
    ],
    [
      'a rule stops a parent that is recorded',
      'stopped-by-rule',
      () => (world.order({ token: { sha256: digestOf('rt_1') } }), withParent(refreshFacts())),
    ],
    ['its text says another subject', 'mismatch', () => jwt({}, { sub: 'somebody' })],
    ['its text says another client', 'mismatch', () => jwt({}, { client_id: 'somebody' })],
    ['its text says another audience', 'mismatch', () => jwt({}, { aud: [OTHER_API] })],
    [
      'its text says another resource of its source',
      'mismatch',
      () => (
        changeSource(parties.RAS_SOURCE, { resources: [API, `${API}/admin`] }), jwt({}, { aud: [API, `${API}/admin`] })
      ),
    ],
    ['its text says no audience', 'mismatch', () => jwt({}, { aud: undefined })],
    ['its text says more scope', 'mismatch', () => jwt({}, { scope: 'chat.read chat.history chat.admin' })],
    ['its text says another end', 'mismatch', () => jwt({}, { exp: NOW + 871 })],
    ['its text is bound to a key and its facts are not', 'mismatch', () => jwt({}, { cnf: { jkt: digestOf('key') } })],
    [
      'its facts are bound to one key and its text to another',
      'mismatch',
      () => jwt({ cnf: { jkt: digestOf('key') } }, { cnf: { jkt: digestOf('other') } }),
    ],
    [
      'its text says another issuer than the facts of its signing input',
      'not-allowed',
      () => anonymousJwt({ iss: OTHER_RAS }),
    ],
    ['its signature is another key’s', 'unverified', () => jwt({}, {}, {}, parties.strangerKey)],
    ['its signature is of an algorithm that the key is not for', 'unverified', () => jwt({}, {}, { alg: 'EdDSA' })],
    ['it is not signed', 'unknown', () => `${jwt({}, {}, { alg: 'none' }).split('.').slice(0, 2).join('.')}.AA`],
    ['its algorithm is not the source’s', 'unknown', () => (changeProfile({ algorithms: ['RS256'] }), jwt())],
    ['its key is not registered', 'unverified', () => jwt({}, {}, {}, makeKey('ES256', 'unknown'))],
    ['its typ is an ID token’s', 'unverified', () => jwt({}, {}, { typ: 'JWT' })],
    ['it has no typ', 'unverified', () => jwt({}, {}, { typ: undefined })],
    ['its typ is an ID-JAG’s', 'wrong-kind', () => jwt({}, {}, { typ: 'oauth-id-jag+jwt' })],
    [
      'its source names the typ of a logout token',
      'unverified',
      () => (changeProfile({ typ: ['logout+jwt'] }), jwt({}, {}, { typ: 'logout+jwt' })),
    ],
    ['its header has a critical extension', 'unverified', () => jwt({}, {}, { crit: ['exp'] })],
    ['its payload is said not to be encoded', 'unverified', () => jwt({}, {}, { b64: false })],
    ['its jti is no string', 'malformed', () => jwt({}, { jti: 7 })],
    [
      'it is the signing input of a JWT without jti',
      'wrong-kind',
      () => anonymousJwt().split('.').slice(0, 2).join('.'),
    ],
    [
      'it is a JWT that was recorded as an opaque token',
      'unknown',
      () => {
        const text = signJwt(rasKey, parties.claimsOf(parties.tokenFacts(NOW - 100, { jti: 'at-1' })));
        world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf(text) }));
        return text;
      },
    ],
    [
      'it is a JWT without jti whose signing input was recorded as an opaque token',
      'wrong-kind',
      () => {
        const claims = parties.claimsOf(parties.tokenFacts(NOW));
        world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf(signingInput(rasKey, claims)) }));
        return signJwt(rasKey, claims);
      },
    ],
    ['it is an ID-JAG', 'wrong-kind', () => signJwt(idpKey, parties.idJagClaims(NOW), { typ: 'oauth-id-jag+jwt' })],
  ])('%s (%s)', async (_, reason, make) => {
    expect(await body(make())).toBe(INACTIVE);
    expect(await world.count(reason)).toBe(1);
    expect(await world.count('active')).toBe(0);
  });

  it('is seen by no caller without the role', async () => {
    expect((await world.ask(opaque(), parties.basic('producer'))).kind).toBe('no-role');
    expect(await world.count('no-role')).toBe(1);
  });

  it('tells the operator of a difference once, without the token', async () => {
    const token = jwt({}, { scope: 'chat.admin' });
    await body(token);
    await body(token);
    const told = world.log.filter((line) => line.includes('mismatch'));
    expect(told).toHaveLength(1);
    expect(told[0]).not.toContain(token);
  });
});

describe('a revoked JWT', () => {
  it.each<[string, (text: string) => string]>([
    ['as it was issued', (text) => text],
    ['with the second value of its signature', mirrorSignature],
    ['with other padding bits', (text) => respellPadding(text)],
    ['with both', (text) => respellPadding(mirrorSignature(text))],
  ])('stays revoked %s', async (_, respell) => {
    const token = jwt();
    const respelled = respell(token);
    expect(await body(respelled)).not.toBe(INACTIVE);
    world.order({ token: { iss: RAS, jti: 'at-1' } });
    expect(await body(token)).toBe(INACTIVE);
    expect(await body(respelled)).toBe(INACTIVE);
    expect(await world.count('stopped-by-rule')).toBe(2);
  });

  it.each([mirrorSignature, respellPadding])('without jti stays revoked in another spelling (%#)', async (respell) => {
    const token = anonymousJwt();
    world.order({ token: { signing_input_sha256: digestOf(token.slice(0, token.lastIndexOf('.'))) } });
    expect(await body(respell(token))).toBe(INACTIVE);
  });

  it('is not revived by characters that a decoder would skip', async () => {
    const token = jwt();
    world.order({ token: { iss: RAS, jti: 'at-1' } });
    for (const text of [`${token}=`, `${token}\n`, ` ${token}`, `${token}.`]) expect(await body(text)).toBe(INACTIVE);
  });

  it('cannot be replaced by another text under the same identity', async () => {
    const token = jwt();
    const replacement = signJwt(rasKey, {
      ...parties.claimsOf(parties.tokenFacts(NOW, { jti: 'at-1' })),
      exp: NOW + 9_000,
    });
    expect(await body(token)).not.toBe(INACTIVE);
    expect(await body(replacement)).toBe(INACTIVE);
    expect(await body(mirrorSignature(replacement))).toBe(INACTIVE);
  });
});

describe('what a decision depends on may change between two calls', () => {
  it('a rule, while the facts come from memory', async () => {
    world.recordIdJag(parties.idJagFacts(NOW));
    const token = opaque();
    expect(await body(token)).not.toBe(INACTIVE);
    const read = world.statements;
    world.order({ user: { iss: IDP, sub: 'u-1' } });
    expect(await body(token)).toBe(INACTIVE);
    expect(world.statements).toBe(read);
  });

  it('the key that verified it', async () => {
    const token = jwt();
    expect(await body(token)).not.toBe(INACTIVE);
    changeSource(parties.RAS_SOURCE, { jwks: { keys: [parties.rasRsaKey.jwk] } });
    expect(await body(token)).toBe(INACTIVE);
    expect(await world.count('unverified')).toBe(1);
  });

  it('the skew of its source, which belongs to the selection of a rule', async () => {
    world.recordIdJag(parties.idJagFacts(NOW));
    world.order({ user: { iss: IDP, sub: 'u-1' } }, { before: NOW - 50 });
    const token = opaque();
    expect(await body(token)).not.toBe(INACTIVE);
    changeProfile({ skew: 10 });
    expect(await body(token)).toBe(INACTIVE);
  });

  it('time', async () => {
    const token = opaque();
    expect(await body(token)).not.toBe(INACTIVE);
    world.now = NOW + 870;
    expect(await body(token)).toBe(INACTIVE);
  });

  it('the caller, also while facts are being fetched', async () => {
    const asked = world.ask(opaque());
    changeCaller(parties.RESOURCE_SERVER, { disabled: true });
    expect((await asked).kind).toBe('unauthenticated');
  });

  it('a rule that is applied while facts are being fetched', async () => {
    const asked = world.ask(opaque());
    world.order({ resource: API }, { effect: 'block' });
    expect((await asked).body).toBe(INACTIVE);
  });

  it('the lease, also while facts are being fetched', async () => {
    const token = opaque();
    const asked = world.ask(token);
    world.isCurrent = false;
    expect((await asked).kind).toBe('undecided');
    expect((await world.ask(token)).kind).toBe('undecided');
  });

  it('the database, which is no reason to say no', async () => {
    const token = opaque();
    world.failReads(new Error('gone'));
    expect((await world.ask(token)).kind).toBe('undecided');
    world.failReads(undefined);
    expect(await body(token)).not.toBe(INACTIVE);
  });
});

describe('what is read and verified', () => {
  it('facts with complete lineage once, others anew', async () => {
    world.recordIdJag(parties.idJagFacts(NOW));
    const complete = jwt();
    await body(complete);
    await body(complete);
    expect(world.statements).toBe(1);
    const incomplete = opaque({ id_jag: { iss: IDP, jti: 'gr-2' } });
    await body(incomplete);
    await body(incomplete);
    expect(world.statements).toBe(3);
  });

  it('misses of one tick in one statement', async () => {
    jwt();
    await Promise.all(Array.from({ length: 50 }, (_, at) => body(`at_${at}`)));
    expect(world.statements).toBe(1);
  });

  it('nothing of a caller that may not ask, and no signature of a token that is not recorded and not new', async () => {
    await world.ask(opaque(), 'Bearer rsk_wrong');
    expect(world.statements).toBe(0);
    const forged = signJwt(parties.strangerKey, parties.claimsOf(parties.tokenFacts(NOW, { jti: 'x', iat: NOW - 61 })));
    expect(await body(forged)).toBe(INACTIVE);
    expect(await world.count('unknown')).toBe(1);
  });
});

describe('random tokens of one caller', () => {
  const BURST = 1_000;
  const MAX_QUEUED = 2_000;
  const MORE = BURST + MAX_QUEUED + 500;

  it('are looked for within its bound, and slow down neither others nor what is in memory', async () => {
    let ms = 0;
    world = createMemoryWorld({ monotonic: () => ms });
    world.recordIdJag(parties.idJagFacts(NOW));
    const known = opaque();
    const kinds: string[] = [];
    const random = Array.from({ length: MORE }, async (_, at) => void kinds.push((await world.ask(`at_${at}`)).kind));
    const answered = async (count: number): Promise<void> => {
      while (kinds.length < count) await new Promise(setImmediate);
    };
    expect(await body(known, parties.basic('chat-api-waits'))).not.toBe(INACTIVE);
    expect(await body(known)).not.toBe(INACTIVE);
    await answered(BURST + 500);
    expect(kinds.filter((kind) => kind === 'undecided')).toHaveLength(500);
    expect(kinds).toHaveLength(BURST + 500);
    ms = 1_000;
    await answered(2 * BURST + 500);
    expect(kinds).toHaveLength(2 * BURST + 500);
    ms = 2_000;
    await Promise.all(random);
    expect(kinds.filter((kind) => kind === 'decided')).toHaveLength(BURST + MAX_QUEUED);
    expect(world.log.join()).not.toContain('could not read');
  });
});

describe('a token that is not seen yet', () => {
  const soon = (record: () => void): NodeJS.Timeout => setTimeout(record, 30);

  it('is waited for when it is a new JWT that verifies', async () => {
    const facts = parties.tokenFacts(NOW, { jti: 'at-new' });
    soon(() => world.recordToken(facts));
    expect(await body(signJwt(rasKey, parties.claimsOf(facts)))).not.toBe(INACTIVE);
  });

  it('is not waited for when it does not verify', async () => {
    const facts = parties.tokenFacts(NOW, { jti: 'at-new' });
    soon(() => world.recordToken(facts));
    expect(await body(signJwt(parties.strangerKey, parties.claimsOf(facts)))).toBe(INACTIVE);
    expect(world.statements).toBe(1);
  });

  it('is waited for when it is opaque and the caller is registered for that', async () => {
    soon(() => void opaque());
    expect(await body(OPAQUE)).toBe(INACTIVE);
    world.forget();
    soon(() => void opaque());
    expect(await body(OPAQUE, parties.basic('chat-api-waits'))).not.toBe(INACTIVE);
  });

  it('is waited for until its parent is seen too', async () => {
    const token = opaque({ parent: { sha256: digestOf('rt_1') } });
    soon(() => world.recordToken(refreshFacts()));
    expect(await body(token, parties.basic('chat-api-waits'))).not.toBe(INACTIVE);
  });

  it('is looked for four times more, then unknown', async () => {
    expect(await body(OPAQUE, parties.basic('chat-api-waits'))).toBe(INACTIVE);
    expect(world.statements).toBe(5);
    expect(await world.count('unknown')).toBe(1);
  });

  it('is waited for by 256 questions of one caller at a time, and no more', async () => {
    let clock = 0;
    // The bounds of the caller fill up between any two questions.
    world = createMemoryWorld({ monotonic: () => (clock += 1_000) });
    const ask = (name: string) => body(name, parties.basic('chat-api-waits'));
    // Looks for a token and does not wait: it gives back no place that it never had.
    expect(await ask(opaque())).not.toBe(INACTIVE);
    for (const round of [1, 2]) {
      const [statements, unknown] = [world.statements, await world.count('unknown')];
      const asked = Array.from({ length: 300 }, (_, at) => ask(`at_${round}_${at}`));
      const beyond = asked.slice(256);
      expect(await Promise.all(beyond)).toEqual(beyond.map(() => INACTIVE));
      expect((await world.count('unknown')) - unknown).toBe(44);
      // The others were not looked for again yet: those beyond 256 did not wait at all.
      expect(world.statements - statements).toBe(1);
      expect(await Promise.all(asked)).toEqual(asked.map(() => INACTIVE));
    }
    const before = world.statements;
    expect(await ask('at_later')).toBe(INACTIVE);
    expect(world.statements - before).toBe(5);
  });
});

it('a caller that waits hears of a token of another audience as late as of one that nobody recorded', async () => {
  const looks = async (token: string): Promise<number> => {
    const before = world.statements;
    expect(await body(token, parties.basic('chat-api-waits'))).toBe(INACTIVE);
    return world.statements - before;
  };
  const unknown = await looks('at_nobody-recorded-it');
  opaque({ iss: OTHER_RAS, aud: [OTHER_API] }, { source: parties.OTHER_RAS_SOURCE.id });
  expect([await looks(OPAQUE), unknown]).toEqual([5, 5]);
});
