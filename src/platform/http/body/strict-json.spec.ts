import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MAX_JSON_DEPTH, parseStrictJson } from './strict-json.js';

const bytes = (text: string): Buffer => Buffer.from(text);

describe('parseStrictJson', () => {
  it.each([
    ['malformed-json', bytes('')],
    ['malformed-json', bytes('{"a":1')],
    ['malformed-json', bytes('{"a":1} x')],
    ['malformed-json', bytes('\ufeff{}')],
    ['malformed-json', bytes('['.repeat(MAX_JSON_DEPTH + 1) + ']'.repeat(MAX_JSON_DEPTH + 1))],
    ['malformed-json', bytes('['.repeat(1_000_000))],
    ['invalid-utf8', Buffer.from([0x22, 0xc0, 0x80, 0x22])],
    ['invalid-utf8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['duplicate-key', bytes('{"a":1,"a":1}')],
    ['duplicate-key', bytes('{"a":1,"b":{"a":2},"\\u0061":3}')],
    ['duplicate-key', bytes('[{"a":"}","b":[1,"{"],"b":2}]')],
    ['nul', bytes('{"a":"x\\u0000"}')],
    ['nul', bytes('{"\\u0000":1}')],
    ['lone-surrogate', bytes('"\\ud83d"')],
    ['lone-surrogate', bytes('"\\udc00\\ud83d"')],
  ])('refuses with %s', (code, input) => {
    expect(() => parseStrictJson(input)).toThrow(expect.objectContaining({ code }));
  });

  it('takes what is nested as deep as the limit', () => {
    const text = '['.repeat(MAX_JSON_DEPTH) + ']'.repeat(MAX_JSON_DEPTH);
    expect(parseStrictJson(bytes(text))).toEqual(JSON.parse(text));
  });

  it('takes the same name in different objects, pairs of surrogates and escaped quotes', () => {
    expect(parseStrictJson(bytes('[{"a":"\\ud83d\\ude00"},{"a":"\\\\"},{"b":"\\"","a":[]}]'))).toEqual([
      { a: '😀' },
      { a: '\\' },
      { b: '"', a: [] },
    ]);
  });

  it('gives what JSON.parse gives for anything that JSON.stringify wrote', () => {
    const wellFormed = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 6 }), wellFormed, (value, key) => {
        const text = JSON.stringify({ [key]: value });
        fc.pre(!text.includes('\\u0000'));
        expect(parseStrictJson(bytes(text))).toEqual(JSON.parse(text));
      }),
    );
  });
});
