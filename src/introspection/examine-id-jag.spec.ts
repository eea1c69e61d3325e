import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryWorld, NOW, type MemoryWorld } from '../../test/conformance/memory-world.js';
import * as parties from '../../test/conformance/parties.js';
import {
  digestOf,
  makeKey,
  mirrorSignature,
  respellPadding,
  signJwt,
  type SigningKey,
} from '../../test/conformance/signing.js';
import { ID_JAG_TOKEN_TYPE, ID_JAG_TYP } from '../contracts/index.js';

const { IDP, RAS, OTHER_RAS, idpKey } = parties;
const INACTIVE = '{"active":false}';
const DAY = 86_400;
const AS_RAS = parties.basic('chat-login');

let world: MemoryWorld;
beforeEach(() => {
  world = createMemoryWorld();
});

const idJag = (over: object = {}, header: object = {}, key: SigningKey = idpKey): string =>
  signJwt(key, { ...parties.idJagClaims(NOW), ...over }, { typ: ID_JAG_TYP, ...header });
const changeIdp = (profile: object): void =>
  void world.apply({
    kind: 'source.changed',
    tenant: parties.TENANT.id,
    subject: parties.IDP_SOURCE.id,
    body: { ...parties.IDP_SOURCE, profile: { ...parties.IDP_SOURCE.profile, ...profile } },
  });
const ask = async (text: string): Promise<string | undefined> =>
  (await world.ask(text, AS_RAS, ID_JAG_TOKEN_TYPE)).body;

describe('an ID-JAG that nothing speaks against', () => {
  it('is active before anybody has reported it, with its claims as issued', async () => {
    expect(JSON.parse((await ask(idJag()))!)).toEqual({ active: true, ...parties.idJagClaims(NOW) });
  });

  it('is active once it is reported, and its own `active` claim says nothing', async () => {
    world.recordIdJag(parties.idJagFacts(NOW));
    expect(JSON.parse((await ask(idJag({ active: 'yes' })))!)).toMatchObject({ active: true, jti: 'gr-1' });
  });
});

describe('an ID-JAG at a bound', () => {
  it.each<[string, () => string]>([
    ['of the last second', () => idJag({ exp: NOW + 1 })],
    ['that lives as long as it may', () => idJag({ iat: NOW - 40, exp: NOW - 40 + 86_400 })],
    ['issued as far ahead as clocks may differ', () => idJag({ iat: NOW + 5 })],
    ['valid as far ahead as clocks may differ', () => idJag({ nbf: NOW + 5 })],
    ['as old as a lineage may be', () => (changeIdp({ max_token_lifetime: 60 * DAY }), idJag({ iat: NOW - 30 * DAY }))],
    [
      'for as many resources as a rule could match, its RAS among them',
      () => idJag({ resource: Array.from({ length: 7 }, (_, at) => `https://api.example/${at}`) }),
    ],
    ['with its audience as a list of one', () => idJag({ aud: [RAS] })],
    ['whose agent is no object, which says nothing', () => idJag({ agent: 'agent-42' })],
    ['whose agent has members of other types, which say nothing', () => idJag({ agent: { id: 7, type: null } })],
  ])('%s is active', async (_, make) =>
    expect(JSON.parse((await ask(make()))!)).toMatchObject({ active: true, jti: 'gr-1' }),
  );

  it.each<[string, object]>([
    ['a resource that is no text', { resource: 7 }],
    ['an empty list of resources', { resource: [] }],
    ['an auth_time that is no number', { auth_time: 'now' }],
    ['an iat that is no number', { iat: 'now' }],
    ['an exp that is no number', { exp: 'later' }],
    ['an empty subject', { sub: '' }],
    ['a sid that is no text', { sid: 7 }],
    ['no audience', { aud: undefined }],
  ])('%s: malformed', async (_, over) =>
    expect([await ask(idJag(over)), await world.count('malformed')]).toEqual([INACTIVE, 1]),
  );

  it.each<[string, object]>([
    ['agent', { agent: { iss: IDP, id: 'agent-42' } }],
    ['type of agent', { agent_type: 'support-assistant' }],
    ['resource', { resource: 'https://api.example/0' }],
  ])('is stopped by a rule on its %s', async (_, selector) => {
    world.order(selector as never, { effect: 'block' });
    expect([await ask(idJag({ resource: 'https://api.example/0' })), await world.count('stopped-by-rule')]).toEqual([
      INACTIVE,
      1,
    ]);
  });
});

describe('one precondition less, and the answer is the same inactive bytes', () => {
  it.each<[string, string, () => string]>([
    ['it is addressed to another RAS', 'not-allowed', () => idJag({ aud: OTHER_RAS })],
    ['it is addressed to two', 'malformed', () => idJag({ aud: [RAS, OTHER_RAS] })],
    ['its issuer is not accepted', 'not-allowed', () => idJag({ iss: OTHER_RAS })],
    ['its issuer is no registered IdP', 'unverified', () => (disableIdp(), idJag())],
    ['it has expired', 'expired', () => idJag({ exp: NOW })],
    ['it lives too long', 'lifetime-too-long', () => idJag({ exp: NOW + 86_400 })],
    ['it was issued in the future', 'not-yet-valid', () => idJag({ iat: NOW + 6 })],
    ['it is not valid yet', 'not-yet-valid', () => idJag({ nbf: NOW + 6 })],
    ['it has no jti', 'malformed', () => idJag({ jti: undefined })],
    ['it has no subject', 'malformed', () => idJag({ sub: undefined })],
    ['it names no client', 'malformed', () => idJag({ client_id: undefined })],
    ['a claim that a rule compares has another type', 'malformed', () => idJag({ tenant: 7 })],
    ['its signature is another key’s', 'unverified', () => idJag({}, { alg: 'ES256' }, parties.strangerKey)],
    ['its typ is an access token’s', 'unverified', () => idJag({}, { typ: 'at+jwt' })],
    ['it is no JWT', 'malformed', () => 'opaque'],
    [
      'it names more resources than a rule could match',
      'too-many-values',
      () => idJag({ resource: Array.from({ length: 9 }, (_, at) => `https://api.example/${at}`) }),
    ],
    [
      'it was issued longer ago than a lineage may be old',
      'lineage-too-old',
      () => (changeIdp({ max_token_lifetime: 60 * DAY }), idJag({ iat: NOW - 30 * DAY - 1 })),
    ],
    [
      'it is an access token',
      'not-allowed',
      () => signJwt(parties.rasKey, parties.claimsOf(parties.tokenFacts(NOW, { jti: 'at-1', sub: 'x' }))),
    ],
    [
      'its IdP reported two different ones',
      'conflict',
      () => (world.recordIdJag(parties.idJagFacts(NOW), { conflict: true }), idJag()),
    ],
    ...(
      [
        ['tenant', { tenant: 'acme' }],
        ['tenant at its audience', { aud_tenant: 'chat-1' }],
        ['subject at its audience', { aud_sub: 'chat-u-2' }],
        ['client', { client_id: 'other-at-chat' }],
        ['time of issue', { iat: NOW - 41 }],
        ['end', { exp: NOW + 261 }],
        ['audience', { aud: [OTHER_RAS] }],
        ['second audience', { aud: [RAS, OTHER_RAS] }],
      ] as const
    ).map(([member, over]): [string, string, () => string] => [
      `its IdP reported another ${member}`,
      'mismatch',
      () => (world.recordIdJag(parties.idJagFacts(NOW, over as object)), idJag()),
    ]),
    [
      'its IdP reported another user',
      'mismatch',
      () => (world.recordIdJag(parties.idJagFacts(NOW, { sub: 'u-2' })), idJag()),
    ],
    [
      'a rule stops its user',
      'stopped-by-rule',
      () => (world.order({ user: { iss: IDP, sub: 'u-1' } }, { effect: 'block' }), idJag()),
    ],
    [
      'a rule stops its agent',
      'stopped-by-rule',
      () => (world.order({ agent: { iss: IDP, id: 'agent-42' } }, { effect: 'block' }), idJag()),
    ],
    [
      'a rule stops its client at the RAS',
      'stopped-by-rule',
      () => (world.order({ client: { iss: RAS, client_id: 'wiki-at-chat' } }, { effect: 'block' }), idJag()),
    ],
    [
      'a rule stops its client at the IdP, which the IdP reported',
      'stopped-by-rule',
      () => (
        world.recordIdJag(parties.idJagFacts(NOW)),
        world.order({ client: { iss: IDP, client_id: 'wiki-at-idp' } }, { effect: 'block' }),
        idJag()
      ),
    ],
    [
      'a rule stops its session',
      'stopped-by-rule',
      () => (world.order({ session: { iss: IDP, sid: 's-1' } }), idJag()),
    ],
    [
      'a rule stops the token it was exchanged for',
      'stopped-by-rule',
      () => {
        world.recordIdJag(parties.idJagFacts(NOW, { parent: { iss: OTHER_RAS, jti: 'hop-1' } }));
        world.order({ token: { iss: OTHER_RAS, jti: 'hop-1' } });
        return idJag();
      },
    ],
    [
      'a rule stops whom the token it was exchanged for was issued to',
      'stopped-by-rule',
      () => {
        world.recordToken(
          parties.tokenFacts(NOW, {
            iss: OTHER_RAS,
            jti: 'hop-1',
            client_id: 'agent-at-crm',
            id_jag: { iss: IDP, jti: 'gr-0' },
          }),
          { source: parties.OTHER_RAS_SOURCE.id },
        );
        world.recordIdJag(parties.idJagFacts(NOW, { parent: { iss: OTHER_RAS, jti: 'hop-1' } }));
        world.order({ client: { iss: OTHER_RAS, client_id: 'agent-at-crm' } }, { effect: 'block' });
        return idJag();
      },
    ],
  ])('%s (%s)', async (_, reason, make) => {
    expect(await ask(make())).toBe(INACTIVE);
    expect(await world.count(reason)).toBe(1);
  });

  const disableIdp = (): void =>
    void world.apply({
      kind: 'source.changed',
      tenant: parties.TENANT.id,
      subject: parties.IDP_SOURCE.id,
      body: { ...parties.IDP_SOURCE, disabled: true },
    });

  it.each([undefined, 'access_token', 'refresh_token'])('is no access token to anybody (hint %s)', async (hint) => {
    expect((await world.ask(idJag(), AS_RAS, hint)).body).toBe(INACTIVE);
    expect(await world.count('wrong-kind')).toBe(1);
  });
});

describe('the clocks of an ID-JAG', () => {
  it('are those of every source that speaks for its issuer: the largest skew extends a rule', async () => {
    world.order({ user: { iss: IDP, sub: 'u-1' } }, { before: NOW - 40 - 30 });
    expect(await ask(idJag())).not.toBe(INACTIVE);
    const id = '44444444-4444-4444-8444-444444444444';
    const body = {
      ...parties.IDP_SOURCE,
      id,
      name: 'idp-2',
      uri: 'urn:idp-2',
      profile: { ...parties.IDP_SOURCE.profile, skew: 60 },
    };
    world.apply({ kind: 'source.changed', tenant: parties.TENANT.id, subject: id, body });
    expect(await ask(idJag())).toBe(INACTIVE);
    expect(await world.count('stopped-by-rule')).toBe(1);
  });
});

describe('a rule on the digest of an ID-JAG', () => {
  const es256 = makeKey('ES256', 'idp-2');
  beforeEach(() => {
    const body = { ...parties.IDP_SOURCE, jwks: { keys: [es256.jwk] } };
    world.apply({ kind: 'source.changed', tenant: parties.TENANT.id, subject: body.id, body });
  });

  it.each<[string, (text: string) => string]>([
    ['as it was issued', (text) => text],
    ['with the second value of its signature', mirrorSignature],
    ['with other padding bits', respellPadding],
  ])('stops it %s', async (_, respell) => {
    const text = idJag({}, {}, es256);
    expect(await ask(respell(text))).not.toBe(INACTIVE);
    world.order({ id_jag: { sha256: digestOf(text) } });
    expect(await ask(respell(text))).toBe(INACTIVE);
  });
});
