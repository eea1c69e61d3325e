import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  DIMENSIONS,
  ruleKey,
  ruleKeyFromBytes,
  ruleKeyToBytes,
  selectorKey,
  splitSelectorKey,
  type Dimension,
  type Selector,
} from './index.js';

interface Vector {
  readonly name: string;
  readonly dimension: Dimension;
  readonly parts: readonly (string | null)[];
  readonly key: string;
}
const { tenantKey, vectors } = JSON.parse(readFileSync(new URL('./vectors.json', import.meta.url), 'utf8')) as {
  readonly tenantKey: string;
  readonly vectors: readonly Vector[];
};
const key = Buffer.from(tenantKey, 'hex');
const hexOf = (dimension: string, parts: readonly (string | null)[]): string =>
  ruleKeyToBytes(ruleKey(key, dimension, parts)).toString('hex');

describe('rule keys (wire.md, "Namespaced values and rule keys")', () => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))(
    'frozen: %s',
    (_name, { dimension, parts, key: frozen }) => {
      expect(hexOf(dimension, parts)).toBe(frozen);
    },
  );

  it('has a frozen vector for every dimension', () => {
    expect(DIMENSIONS.filter((dimension) => !vectors.some((vector) => vector.dimension === dimension))).toEqual([]);
  });

  it('the order of dimensions, which is part of every stored selector key, is frozen', () => {
    expect(DIMENSIONS).toEqual([
      'token',
      'id_jag',
      'session',
      'user',
      'client',
      'agent',
      'agent_type',
      'resource',
      'issuer',
    ]);
  });

  it.each<[string, Selector, string]>([
    ['token', { token: { iss: 'https://login.chat.example', jti: 'at-1' } }, 'token'],
    ['id_jag', { id_jag: { iss: 'https://idp.acme.example', jti: 'gr-1' } }, 'id_jag'],
    ['id_jag by digest', { id_jag: { sha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' } }, 'id_jag by digest'],
    ['token by digest', { token: { sha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' } }, 'token by digest'],
    [
      'token by signing input',
      { token: { signing_input_sha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' } },
      'token by digest',
    ],
    ['session', { session: { iss: 'https://idp.acme.example', sid: 's-1' } }, 'session'],
    ['user', { user: { iss: 'https://idp.acme.example', sub: 'alice' } }, 'user'],
    [
      'user of a tenant',
      { user: { iss: 'https://idp.acme.example', tenant: 'acme', sub: 'alice' } },
      'user of a tenant',
    ],
    ['client', { client: { iss: 'https://login.chat.example', client_id: 'wiki-at-chat' } }, 'client'],
    ['agent', { agent: { iss: 'https://idp.acme.example', id: 'agent-7' } }, 'agent'],
    ['agent_type', { agent_type: 'assistant' }, 'agent_type'],
    ['resource', { resource: 'https://api.chat.example' }, 'resource'],
    ['issuer', { issuer: 'https://idp.acme.example' }, 'issuer'],
  ])('a selector by %s has the frozen key', (_name, selector, vector) => {
    const { shape, key: bytes } = selectorKey(key, selector);
    const frozen = vectors.find(({ name }) => name === vector)!;
    expect(Buffer.from(bytes, 'latin1').toString('hex')).toBe(frozen.key);
    expect(shape).toBe(1 << DIMENSIONS.indexOf(frozen.dimension));
  });

  it('keys of one selector stand in dimension order, whatever the order of its members', () => {
    const selector = {
      issuer: 'https://idp.acme.example',
      agent_type: 'assistant',
      user: { iss: 'https://idp.acme.example', sub: 'alice' },
    };
    const reversed = Object.fromEntries(Object.entries(selector).toReversed());
    expect(selectorKey(key, reversed)).toEqual(selectorKey(key, selector));
    expect(
      splitSelectorKey(selectorKey(key, selector)).map(([dimension, part]) => [
        dimension,
        ruleKeyToBytes(part).toString('hex'),
      ]),
    ).toEqual(
      ['user', 'agent_type', 'issuer'].map((dimension) => [
        dimension,
        vectors.find(({ name }) => name === dimension)!.key,
      ]),
    );
  });

  it('`all` has no dimension and no key', () => {
    expect(selectorKey(key, { all: true })).toEqual({ shape: 0, key: '' });
    expect(splitSelectorKey({ shape: 0, key: '' })).toEqual([]);
  });

  it('differs by tenant key, by dimension and by every boundary between parts', () => {
    const spellings = [
      hexOf('agent', ['a', 'b']),
      hexOf('client', ['a', 'b']),
      hexOf('agent', ['ab']),
      hexOf('agent', ['', 'ab']),
      hexOf('agent', ['ab', '']),
      hexOf('agent', ['a","b']),
      hexOf('agent', ['a', null, 'b']),
      hexOf('agent', ['a', 'null', 'b']),
      hexOf('agent', ['A', 'b']),
      hexOf('agent_type', ['a', 'b']),
      ruleKeyToBytes(ruleKey(Buffer.alloc(32), 'agent', ['a', 'b'])).toString('hex'),
    ];
    expect(new Set(spellings).size).toBe(spellings.length);
  });

  it('is not normalised: composed and decomposed spellings are two names', () => {
    expect(hexOf('user', ['i', null, '\u00fc'])).not.toBe(hexOf('user', ['i', null, 'u\u0308']));
  });

  it('survives the way to bytes and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(ruleKeyToBytes(ruleKeyFromBytes(bytes))).toEqual(Buffer.from(bytes));
        const within = Buffer.concat([Buffer.from([1, 2, 3]), bytes, Buffer.from([4])]).subarray(3, 19);
        expect(ruleKeyFromBytes(within)).toBe(ruleKeyFromBytes(bytes));
      }),
    );
  });
});
