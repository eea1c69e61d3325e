import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TokenIssued } from '../../contracts/index.js';
import { createMemoryWorld, NOW, type MemoryWorld } from '../../../test/conformance/memory-world.js';
import * as parties from '../../../test/conformance/parties.js';
import { digestOf, makeKey, signJwt } from '../../../test/conformance/signing.js';

describe('why a recorded token is refused', () => {
  let world: MemoryWorld;
  beforeEach(() => {
    world = createMemoryWorld();
  });
  afterEach(() => world.stop());

  const record = (over: Partial<TokenIssued> = {}): TokenIssued => {
    const facts = parties.tokenFacts(NOW, { jti: 'at-1', ...over });
    world.recordToken(facts);
    return facts;
  };
  const jwt = (facts: TokenIssued, claims: object = {}, header: object = {}): string =>
    signJwt(parties.rasKey, { ...parties.claimsOf(facts), ...claims }, header);

  async function reasonsOf(text: string): Promise<readonly (readonly [string, string])[]> {
    expect((await world.ask(text)).body).toBe('{"active":false}');
    await world.stop();
    return world.refused.map(({ reason, member }) => [reason, member]);
  }

  it.each<[string, () => string, string, string]>([
    ['its text states another scope', () => jwt(record(), { scope: 'chat.admin' }), 'mismatch', 'scope'],
    ['its text states another client', () => jwt(record(), { client_id: 'other' }), 'mismatch', 'client_id'],
    ['its text states another end', () => jwt(record(), { exp: NOW + 99_999 }), 'mismatch', 'exp'],
    ['its header has another typ', () => jwt(record(), {}, { typ: 'JWT' }), 'unverified', 'typ'],
    [
      'another key signed it',
      () => signJwt(makeKey('ES256', 'foreign'), parties.claimsOf(record())),
      'unverified',
      'signature',
    ],
    ['it lives too long', () => jwt(record({ iat: NOW - 30, exp: NOW + 86_400 })), 'lifetime-too-long', ''],
    [
      'it is opaque, and lives too long',
      () => (
        world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('at'), iat: NOW - 30, exp: NOW + 86_400 })), 'at'
      ),
      'lifetime-too-long',
      '',
    ],
    ['it states no ID-JAG', () => jwt(record({ id_jag: undefined })), 'lineage-missing', ''],
  ])('is counted for its source: %s', async (_, text, reason, member) => {
    expect(await reasonsOf(text())).toEqual([[reason, member]]);
    expect(world.refused[0]).toMatchObject({
      tenant: parties.TENANT.id,
      source: parties.RAS_SOURCE.id,
      count: 1,
      firstMs: NOW * 1000,
    });
  });

  it('says the member in the log, and no more than the member', async () => {
    await reasonsOf(jwt(record(), { scope: 'chat.admin' }));
    const lines = world.log.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ member }) => member === 'scope')).toEqual([
      expect.objectContaining({ finding: 'mismatch', source: parties.RAS_SOURCE.id }),
    ]);
    expect(world.log.join('')).not.toContain('chat.admin');
  });

  it.each<[string, () => string]>([
    ['has expired', () => jwt(record({ exp: NOW - 1 }))],
    ['is stopped by a rule', () => (world.order({ user: { iss: parties.RAS, sub: 'chat-u-1' } }), jwt(record()))],
    [
      'is not recorded',
      () => signJwt(parties.rasKey, parties.claimsOf(parties.tokenFacts(NOW, { jti: 'nobody', iat: NOW - 600 }))),
    ],
  ])('is not counted if the token %s', async (_, text) => expect(await reasonsOf(text())).toEqual([]));
});

describe('the judgement of a recorded token', () => {
  const world = createMemoryWorld();
  const judge = (over: Partial<TokenIssued>): string | undefined => {
    const facts = parties.tokenFacts(NOW, { jti: 'at-1', ...over });
    const member = {
      key: 'k' as never,
      ix: 1n,
      seenSeq: 1n,
      source: parties.RAS_SOURCE.id,
      parentKey: undefined,
      conflict: false,
      facts,
      idJagKey: undefined,
    };
    return world.judge(parties.TENANT.id, { tokens: [member], idJags: [], complete: true, broken: false });
  };

  it.each<[string, Partial<TokenIssued>, string | undefined]>([
    ['a good one', {}, undefined],
    ['one that has expired', { exp: NOW }, 'expired'],
    ['one that lives too long', { exp: NOW + 86_400 }, 'lifetime-too-long'],
    ['one without an ID-JAG', { id_jag: undefined }, 'lineage-missing'],
    ['one of an issuer that its source no longer has', { iss: 'https://other.example' }, 'source-refused'],
  ])('%s', (_, over, reason) => expect(judge(over)).toBe(reason));

  it('names a rule that stops it', () => {
    world.order({ user: { iss: parties.RAS, sub: 'chat-u-1' } });
    expect(judge({})).toBe('stopped-by-rule');
  });
});
