import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  DEFAULT_TOKEN_PROFILE,
  createControlState,
  type ControlRecord,
  type Seq,
  type Source,
  type SourceRecord,
} from '../../control/index.js';
import { createLog } from '../../platform/log/index.js';
import { publicJwk, type Jwk } from './jwks-check.js';
import { createKeySets } from './key-sets.js';

const TENANT = '0b0e7a52-6c1d-4a51-9a0f-2f8f3c6f0001';
const HOUR_MS = 3_600_000;
const key = (kid: string): Jwk => ({
  ...(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as Jwk),
  kid,
});

function given(members: Partial<SourceRecord>) {
  const state = createControlState();
  let seq = 0n;
  const put = (more: Partial<SourceRecord>): Source => {
    seq += 1n;
    const body: SourceRecord = {
      id: 'e0c8d1f0-0000-4000-8000-000000000001',
      name: 'idp',
      uri: 'urn:idp',
      topic: 'rescind.events.idp',
      types: ['id-jag.issued'],
      issuers: ['https://idp.example'],
      resources: [],
      profile: DEFAULT_TOKEN_PROFILE,
      disabled: false,
      ...more,
    };
    state.apply({
      kind: 'source.changed',
      tenant: TENANT,
      subject: body.id,
      body,
      seq: seq as Seq,
      version: 1,
      at: 0,
    } satisfies ControlRecord);
    return state.source(body.id)!;
  };
  const source = put(members);
  const remote: { keys: readonly Jwk[]; fails: boolean; fetches: number } = { keys: [], fails: false, fetches: 0 };
  let nowMs = 0;
  const keySets = createKeySets({
    state,
    log: createLog({ level: 'silent' }),
    allowedHosts: [],
    monotonic: () => nowMs,
    fetchKeys: async () => {
      remote.fetches++;
      if (remote.fails) throw new Error('unreachable');
      return remote.keys;
    },
  });
  return { source, put, remote, keySets, passMs: (ms: number) => (nowMs += ms) };
}

describe('key sets, inline', () => {
  const [one, two] = [key('one'), key('two')];

  it('finds the key of a kid at once', () => {
    const { source, keySets } = given({ jwks: { keys: [one, two] } });
    expect(keySets.find(source, { alg: 'EdDSA', kid: 'two' })).toMatchObject([{ kid: 'two' }]);
    expect(keySets.find(source, { alg: 'EdDSA', kid: 'three' })).toEqual([]);
    expect(keySets.find(source, { alg: 'EdDSA' })).toHaveLength(2);
  });

  it('refuses an algorithm that does not fit the key, the profile, or anything', () => {
    const { source, keySets } = given({
      jwks: { keys: [one] },
      profile: { ...DEFAULT_TOKEN_PROFILE, algorithms: ['EdDSA', 'RS256'] },
    });
    for (const alg of ['RS256', 'ES256', 'HS256', 'none'])
      expect(keySets.find(source, { alg, kid: 'one' })).toEqual([]);
  });

  it('lets go of a key that was withdrawn, and of every key of a disabled source', async () => {
    const { source, put, keySets } = given({ jwks: { keys: [one, two] } });
    const [found] = await keySets.find(source, { alg: 'EdDSA', kid: 'one' });
    expect(keySets.holds(source, found!)).toBe(true);
    const without = put({ jwks: { keys: [two] } });
    expect(keySets.holds(without, found!)).toBe(false);
    const [rest] = await keySets.find(without, { alg: 'EdDSA' });
    put({ jwks: { keys: [two] }, disabled: true });
    expect(keySets.holds(without, rest!)).toBe(false);
  });
});

describe('key sets, fetched', () => {
  const uri = { jwks_uri: 'https://idp.example/jwks' };

  it('fetches once for many, then answers at once', async () => {
    const { source, remote, keySets } = given(uri);
    remote.keys = [key('one')];
    const found = await Promise.all([1, 2, 3].map(() => keySets.find(source, { alg: 'EdDSA', kid: 'one' })));
    expect(found.map((keys) => keys.length)).toEqual([1, 1, 1]);
    expect(remote.fetches).toBe(1);
    expect(keySets.find(source, { alg: 'EdDSA', kid: 'one' })).toHaveLength(1);
    keySets.stop();
  });

  it('fetches again for an unknown kid, a second after a fetch that succeeded', async () => {
    const { source, remote, keySets, passMs } = given(uri);
    remote.keys = [key('one')];
    await keySets.find(source, { alg: 'EdDSA', kid: 'one' });
    remote.keys = [...remote.keys, key('two')];
    passMs(999);
    expect(await keySets.find(source, { alg: 'EdDSA', kid: 'two' })).toEqual([]);
    expect(remote.fetches).toBe(1);
    passMs(1);
    expect(await keySets.find(source, { alg: 'EdDSA', kid: 'two' })).toHaveLength(1);
    expect(remote.fetches).toBe(2);
    keySets.stop();
  });

  it('fetches again for an unknown kid, 30 s after a fetch that failed', async () => {
    const { source, remote, keySets, passMs } = given(uri);
    remote.keys = [key('one')];
    await keySets.find(source, { alg: 'EdDSA', kid: 'one' });
    remote.fails = true;
    passMs(1_000);
    await keySets.find(source, { alg: 'EdDSA', kid: 'two' });
    expect(remote.fetches).toBe(2);
    remote.fails = false;
    passMs(29_999);
    await keySets.find(source, { alg: 'EdDSA', kid: 'two' });
    expect(remote.fetches).toBe(2);
    passMs(1);
    await keySets.find(source, { alg: 'EdDSA', kid: 'two' });
    expect(remote.fetches).toBe(3);
    keySets.stop();
  });

  it('fetches once a second for any number of unknown kids', async () => {
    const { source, remote, keySets, passMs } = given(uri);
    remote.keys = [key('one')];
    for (let at = 0; at < 1_000; at++) {
      await Promise.all([
        keySets.find(source, { alg: 'EdDSA', kid: `a${at}` }),
        keySets.find(source, { alg: 'EdDSA', kid: `b${at}` }),
      ]);
      passMs(10);
    }
    expect(remote.fetches).toBe(10);
    keySets.stop();
  });

  it('keeps the identity of a key that stays, and drops one that went', async () => {
    const { source, remote, keySets, passMs } = given(uri);
    const [one, two] = [key('one'), key('two')];
    remote.keys = [one, two];
    const [staying] = await keySets.find(source, { alg: 'EdDSA', kid: 'one' });
    const [leaving] = await keySets.find(source, { alg: 'EdDSA', kid: 'two' });
    const version = keySets.version;
    remote.keys = [one];
    passMs(30_000);
    await keySets.find(source, { alg: 'EdDSA', kid: 'unknown' });
    expect(keySets.holds(source, staying!)).toBe(true);
    expect(keySets.holds(source, leaving!)).toBe(false);
    expect(keySets.version).toBeGreaterThan(version);
    keySets.stop();
  });

  it('lets go of the keys of a URI that the source names no longer', async () => {
    const { source, put, remote, keySets } = given(uri);
    remote.keys = [key('one')];
    const [found] = await keySets.find(source, { alg: 'EdDSA', kid: 'one' });
    expect(keySets.holds(source, found!)).toBe(true);
    const moved = put({ jwks_uri: 'https://idp.example/other' });
    expect(keySets.holds(moved, found!)).toBe(false);
    keySets.stop();
  });

  it('keeps the last good set for a day when its URI fails, not longer', async () => {
    const { source, remote, keySets, passMs } = given(uri);
    remote.keys = [key('one')];
    const [found] = await keySets.find(source, { alg: 'EdDSA', kid: 'one' });
    remote.fails = true;
    passMs(24 * HOUR_MS);
    expect(await keySets.find(source, { alg: 'EdDSA', kid: 'unknown' })).toEqual([]);
    expect(keySets.holds(source, found!)).toBe(true);
    passMs(1);
    expect(keySets.holds(source, found!)).toBe(false);
    keySets.stop();
  });

  it('says which keys it has, and whether their URI failed last', async () => {
    const { source, remote, keySets, passMs } = given(uri);
    expect([keySets.all(source), keySets.isUnreachable(source)]).toEqual([[], false]);
    remote.fails = true;
    await keySets.find(source, { alg: 'EdDSA', kid: 'one' });
    expect([keySets.all(source), keySets.isUnreachable(source)]).toEqual([[], true]);
    remote.fails = false;
    remote.keys = [key('one')];
    passMs(30_000);
    const found = await keySets.find(source, { alg: 'EdDSA', kid: 'one' });
    expect([keySets.all(source), keySets.isUnreachable(source)]).toEqual([found, false]);
    expect(found.map(publicJwk)).toEqual([{ ...remote.keys[0], alg: 'EdDSA' }]);
    keySets.stop();
  });

  it('refuses a set of more than 32 keys, and takes only the usable keys of another', async () => {
    const { source, remote, keySets, passMs } = given(uri);
    remote.keys = Array.from({ length: 33 }, (_, at) => key(`k${at}`));
    expect(await keySets.find(source, { alg: 'EdDSA', kid: 'k0' })).toEqual([]);
    remote.keys = [key('one'), { kty: 'oct', k: 'AAAA', kid: 'hmac' }, { kty: 'EC', crv: 'P-256', kid: 'broken' }];
    passMs(30_000);
    expect(await keySets.find(source, { alg: 'EdDSA' })).toMatchObject([{ kid: 'one' }]);
    keySets.stop();
  });
});
