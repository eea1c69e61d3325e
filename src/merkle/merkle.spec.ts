import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  commitment,
  encodeAttributes,
  encodeEntry,
  leafHash,
  parseAttributes,
  parseEntry,
  type Entry,
} from './index.js';

interface Vector {
  name: string;
  salt: string;
  headers: [string, string][];
  bytes: string;
  index: string;
  arrivalMs: string;
  type: string;
  source: string;
  attributes: string;
  commitment: string;
  entry: string;
  leafHash: string;
}
const vectors = JSON.parse(readFileSync(new URL('./vectors.json', import.meta.url), 'utf8')) as Vector[];
const hex = (text: string) => Buffer.from(text, 'hex');

describe('frozen vectors', () => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    const attributes = encodeAttributes(vector.headers);
    const c = commitment({ salt: hex(vector.salt), attributes, bytes: hex(vector.bytes) });
    const entry: Entry = {
      index: BigInt(vector.index),
      arrivalMs: BigInt(vector.arrivalMs),
      type: vector.type,
      source: vector.source,
      commitment: c,
    };
    const encoded = encodeEntry(entry);
    expect(attributes.toString('hex')).toBe(vector.attributes);
    expect(c.toString('hex')).toBe(vector.commitment);
    expect(encoded.toString('ascii')).toBe(vector.entry);
    expect(leafHash(encoded).toString('hex')).toBe(vector.leafHash);
    expect(parseEntry(encoded)).toEqual(entry);
    expect(parseAttributes(attributes)?.map(([name, value]) => [name, value.toString()])).toEqual(
      vector.headers.toSorted(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right))),
    );
  });

  it('RFC 6962: the leaf hash of no bytes', () => {
    expect(leafHash(Buffer.alloc(0)).toString('hex')).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
  });
});

describe('encodeAttributes', () => {
  it('does not depend on order or on the case of names', () => {
    expect(
      encodeAttributes([
        ['CE_ID', '1'],
        ['Content-Type', 'a'],
      ]),
    ).toEqual(
      encodeAttributes([
        ['content-type', 'a'],
        ['ce_id', Buffer.from('1')],
      ]),
    );
  });

  it('refuses what has two readings', () => {
    expect(() =>
      encodeAttributes([
        ['ce_id', '1'],
        ['CE_ID', '2'],
      ]),
    ).toThrow(TypeError);
    expect(() => encodeAttributes([['ce_id', '\ud800']])).toThrow(TypeError);
  });

  it('keeps bytes that are not UTF-8', () => {
    const value = Buffer.from([0xff, 0x00, 0xfe]);
    expect(parseAttributes(encodeAttributes([['ce_id', value]]))).toEqual([['ce_id', value]]);
  });

  it.each([
    ['a name out of order', '0000000162000000016100000001610000000161'],
    ['an upper-case name', '00000001410000000161'],
    ['a name alone', '0000000161'],
    ['a length past the end', '00000001610000000561'],
    ['half a length', '0000'],
  ])('parseAttributes refuses %s', (_what, bytes) => expect(parseAttributes(hex(bytes))).toBeUndefined());
});

describe('commitment', () => {
  const base = { salt: Buffer.alloc(32, 1), attributes: Buffer.from('ab'), bytes: Buffer.from('cd') };

  it('tells where the attributes end', () => {
    const moved = { ...base, attributes: Buffer.from('abc'), bytes: Buffer.from('d') };
    expect(commitment(moved)).not.toEqual(commitment(base));
  });

  it('takes a salt of 32 bytes and no other', () => {
    for (const length of [0, 31, 33])
      expect(() => commitment({ ...base, salt: Buffer.alloc(length) })).toThrow(TypeError);
  });
});

const entries: fc.Arbitrary<Entry> = fc.record({
  index: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  arrivalMs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  type: fc.constantFrom('dev.rescind.token.issued.v1', 'dev.rescind.log.gap.v1'),
  source: fc.uuid(),
  commitment: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
});

describe('entry', () => {
  it('is read back as it was written', () => {
    fc.assert(fc.property(entries, (entry) => expect(parseEntry(encodeEntry(entry))).toEqual(entry)));
  });

  it('with any byte changed reads as another entry or as none, and never has the same hash', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (entry, position, flip) => {
        const written = encodeEntry(entry);
        const changed = Buffer.from(written);
        changed[position % changed.length]! ^= flip;
        const read = parseEntry(changed);
        if (read !== undefined) expect(encodeEntry(read)).toEqual(changed);
        expect(leafHash(changed)).not.toEqual(leafHash(written));
      }),
    );
  });

  const good = encodeEntry({
    index: 7n,
    arrivalMs: 9n,
    type: 'dev.rescind.log.gap.v1',
    source: '0192f0c1-7d3e-7a10-9c55-3f1f2b8f4b01',
    commitment: Buffer.alloc(32),
  }).toString('ascii');

  it.each<[string, (text: string) => string]>([
    ['no final newline', (text) => text.slice(0, -1)],
    ['a line more', (text) => `${text}\n`],
    ['bytes after the end', (text) => `${text}x`],
    ['carriage returns', (text) => text.replaceAll('\n', '\r\n')],
    ['a leading zero', (text) => text.replace('\n7\n', '\n07\n')],
    ['a sign', (text) => text.replace('\n7\n', '\n+7\n')],
    ['hexadecimal', (text) => text.replace('\n7\n', '\n0x7\n')],
    ['no index', (text) => text.replace('\n7\n', '\n\n')],
    ['an index over 64 bits', (text) => text.replace('\n7\n', '\n18446744073709551616\n')],
    ['another version', (text) => text.replace('/v1\n', '/v2\n')],
    ['an upper-case UUID', (text) => text.replace('0192f0c1', '0192F0C1')],
    ['a commitment without padding', (text) => text.replace('=\n', '\n')],
    ['a commitment in another spelling', (text) => text.replace('A=\n', 'B=\n')],
    ['a commitment in base64url', (text) => text.replace('AAAA=\n', 'AA_A=\n')],
    ['a short commitment', (text) => text.replace('AAAA', '')],
    ['a space in the type', (text) => text.replace('log.gap', 'log gap')],
    ['a type outside ASCII', (text) => text.replace('log.gap', 'log.gäp')],
    ['nothing', () => ''],
  ])('parseEntry refuses %s', (_what, change) => {
    expect(parseEntry(Buffer.from(good))).toBeDefined();
    expect(change(good)).not.toBe(good);
    expect(parseEntry(Buffer.from(change(good)))).toBeUndefined();
  });

  it.each<[string, Partial<Entry>]>([
    ['a negative index', { index: -1n }],
    ['an arrival over 64 bits', { arrivalMs: 2n ** 64n }],
    ['a newline in the type', { type: 'a\nb' }],
    ['a source that is no UUID', { source: 'https://idp.acme.example' }],
    ['a commitment of 31 bytes', { commitment: Buffer.alloc(31) }],
  ])('encodeEntry refuses %s', (_what, change) => {
    expect(() => encodeEntry({ ...parseEntry(Buffer.from(good))!, ...change })).toThrow(TypeError);
  });
});
