import { createPublicKey } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { parseCompactJws } from '../../contracts/index.js';
import { createMemoryWorld, NOW, type MemoryWorld } from '../../../test/conformance/memory-world.js';
import * as parties from '../../../test/conformance/parties.js';
import { digestOf, makeKey, signJwt, type SigningKey } from '../../../test/conformance/signing.js';
import type { Tenant } from '../../control/index.js';
import type { KeySets, VerificationKey } from '../../registry/index.js';
import { createTokenVerifier, type TokenVerifier } from './token-verifier.js';

const { rasKey, strangerKey } = parties;
const keyOf = ({ jwk, kid, alg }: SigningKey): VerificationKey => ({
  kid,
  algorithms: [alg],
  key: createPublicKey({ key: jwk as never, format: 'jwk' }),
});

let world: MemoryWorld;
let tenant: Tenant;
let keys: readonly VerificationKey[];
let version: number;
let finds: number;
/** Called before each look for keys. */
let onFind: () => void;
let sut: TokenVerifier;
beforeEach(() => {
  world = createMemoryWorld();
  tenant = world.state.tenant(parties.TENANT.id)!;
  [keys, version, finds, onFind] = [[keyOf(rasKey)], 0, 0, () => undefined];
  const keySets: KeySets = {
    find: async () => {
      finds += 1;
      await Promise.resolve();
      onFind();
      return keys;
    },
    all: () => [],
    isUnreachable: () => false,
    holds: () => true,
    get version() {
      return version;
    },
    stop: () => undefined,
  };
  sut = createTokenVerifier({ state: world.state, keySets });
});

const claims = parties.claimsOf(parties.tokenFacts(NOW, { jti: 'at-1' }));
const verify = async (text: string): Promise<boolean> =>
  (await sut.verify(tenant, parseCompactJws(text)!, digestOf(text), 'access-token')) !== undefined;
const isRemembered = (text: string): boolean => sut.remembered(tenant, digestOf(text), 'access-token') !== undefined;
const changeSource = (): void =>
  void world.apply({
    kind: 'source.changed',
    tenant: tenant.id,
    subject: parties.RAS_SOURCE.id,
    body: { ...parties.RAS_SOURCE, resources: [] },
  });

/** While the next look for keys is under way something changes, and another question is asked under it. */
function changeUnderWay(change: () => void): void {
  onFind = () => {
    onFind = () => undefined;
    change();
    void verify(signJwt(rasKey, { ...claims, jti: 'at-2' }));
  };
}

describe('a JWT that verifies', () => {
  const text = signJwt(rasKey, claims);

  it('is remembered', async () => {
    expect([await verify(text), isRemembered(text), await verify(text), finds]).toEqual([true, true, true, 1]);
  });

  it('is not remembered where its source changed meanwhile', async () => {
    changeUnderWay(changeSource);
    expect([await verify(text), isRemembered(text)]).toEqual([true, false]);
  });
});

describe('a JWT that the keys refuse', () => {
  const forged = signJwt(strangerKey, claims);
  /** Without a `kid`: any key of its algorithm may have signed it. */
  const nameless = signJwt(strangerKey, claims, { kid: undefined });

  it.each([
    ['by its kid', forged],
    ['without a kid, by all of them', nameless],
  ])('%s is looked at once', async (_, text) => {
    keys = [keyOf(rasKey), ...Array.from({ length: 31 }, (__, nth) => keyOf(makeKey('ES256', `k${nth}`)))];
    expect([await verify(text), await verify(text), finds]).toEqual([false, false, 1]);
  });

  it('is looked at again once the keys have changed', async () => {
    expect(await verify(forged)).toBe(false);
    [keys, version] = [[keyOf(strangerKey)], 1];
    expect(await verify(forged)).toBe(true);
  });

  it.each<[string, () => void]>([
    ['its source changed', changeSource],
    ['the keys changed', () => (version += 1)],
  ])('is not taken for forged where %s meanwhile', async (_, change) => {
    changeUnderWay(change);
    expect(await verify(forged)).toBe(false);
    keys = [keyOf(strangerKey)];
    expect(await verify(forged)).toBe(true);
  });
});

describe('whom a text says it is', () => {
  const kindOf = async (text: string): Promise<string> => (await sut.identify(tenant, text)).kind;
  const change = (over: object): void =>
    void world.apply({
      kind: 'source.changed',
      tenant: tenant.id,
      subject: parties.RAS_SOURCE.id,
      body: { ...parties.RAS_SOURCE, ...over },
    });

  it('tells that no key is there from that a key refuses it', async () => {
    const [good, forged] = [signJwt(rasKey, claims), signJwt(strangerKey, claims)];
    expect([await kindOf(good), await kindOf(forged), await kindOf('opaque')]).toEqual(['jwt', 'refused', 'opaque']);
    keys = [];
    expect([await kindOf(signJwt(makeKey('ES256', 'new'), claims))]).toEqual(['no-key']);
  });

  it.each<[string, object, string]>([
    ['disabled', { disabled: true }, 'no-key'],
    ['without keys', { jwks: undefined }, 'no-key'],
    ['that speaks for another issuer', { issuers: ['https://other.example'] }, 'refused'],
    ['that takes other algorithms', { profile: { ...parties.RAS_SOURCE.profile, algorithms: ['RS256'] } }, 'opaque'],
    ['that writes another typ', { profile: { ...parties.RAS_SOURCE.profile, typ: ['jwt'] } }, 'refused'],
    [
      'that is disabled and speaks for another issuer',
      { disabled: true, issuers: ['https://other.example'] },
      'refused',
    ],
    [
      'that is disabled and takes other algorithms',
      { disabled: true, profile: { ...parties.RAS_SOURCE.profile, algorithms: ['RS256'] } },
      'opaque',
    ],
    [
      'that has no keys and writes another typ',
      { jwks: undefined, profile: { ...parties.RAS_SOURCE.profile, typ: ['jwt'] } },
      'refused',
    ],
  ])('of a source %s', async (_, over, kind) => {
    change(over);
    expect(await kindOf(signJwt(rasKey, claims))).toBe(kind);
  });

  it('of an issuer that nobody speaks for', async () => {
    expect(await kindOf(signJwt(rasKey, { ...claims, iss: 'https://unknown.example' }))).toBe('refused');
  });

  it('where one source of two has no key, it may still come', async () => {
    const id = '55555555-5555-4555-8555-555555555555';
    world.apply({
      kind: 'source.changed',
      tenant: tenant.id,
      subject: id,
      body: { ...parties.RAS_SOURCE, id, name: 'second', uri: 'urn:second', jwks: undefined } as never,
    });
    expect(await kindOf(signJwt(strangerKey, claims))).toBe('no-key');
  });
});
