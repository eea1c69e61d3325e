import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { sliceElements, sliceLines } from './slices.js';

describe('sliceElements', () => {
  it('cuts the raw bytes of each element, strings and nesting regarded', () => {
    const body = Buffer.from('[ {"a":"],[\\"" } ,\n [1,[2]], "x\\\\" ,null ]');
    expect(sliceElements(body).map(String)).toEqual(['{"a":"],[\\"" }', '[1,[2]]', '"x\\\\"', 'null']);
  });

  it('cuts elements of one byte', () => {
    expect(sliceElements(Buffer.from('[1,2]')).map(String)).toEqual(['1', '2']);
  });

  it('finds no element in an empty array', () => {
    expect(sliceElements(Buffer.from(' [ ] '))).toEqual([]);
  });

  it('gives slices that parse to the elements, for every array', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), (values, indent) => {
        const slices = sliceElements(Buffer.from(JSON.stringify(values, null, indent)));
        expect(slices.map((slice) => JSON.parse(slice.toString()) as unknown)).toEqual(
          JSON.parse(JSON.stringify(values)),
        );
      }),
    );
  });
});

describe('sliceLines', () => {
  it('gives a slice a line, with and without a last line feed, whatever the line ends', () => {
    expect(sliceLines(Buffer.from('{"a":1}\r\n\n {"b":2}\n')).map(String)).toEqual(['{"a":1}', '{"b":2}']);
    expect(sliceLines(Buffer.from('{"a":1}')).map(String)).toEqual(['{"a":1}']);
    expect(sliceLines(Buffer.from(''))).toEqual([]);
    expect(sliceLines(Buffer.from(' \t \n  '))).toEqual([]);
    expect(sliceLines(Buffer.from('x\n\t1 '))).toEqual([Buffer.from('x'), Buffer.from('1')]);
  });
});
