import { describe, expect, it } from '@jest/globals';
import { CsvError, parseCsv as parse } from './csv.js';

const parseCsv = (text: string, max = 1_000) =>
  parse(text, max, () => {
    throw new RangeError('too many');
  });

describe('a CSV file (RFC 4180)', () => {
  it.each([
    ['', []],
    [
      'a,b\r\n1,2\r\n',
      [
        [1, 'a', 'b'],
        [2, '1', '2'],
      ],
    ],
    [
      'a,b\n1,2',
      [
        [1, 'a', 'b'],
        [2, '1', '2'],
      ],
    ],
    ['a,,\n', [[1, 'a', '', '']]],
    [',\n', [[1, '', '']]],
    ['"a ""b"", c",d\n', [[1, 'a "b", c', 'd']]],
    [
      '"two\nlines",x\nnext,y\n',
      [
        [1, 'two\nlines', 'x'],
        [3, 'next', 'y'],
      ],
    ],
    [
      'a\n\n\nb\n',
      [
        [1, 'a'],
        [4, 'b'],
      ],
    ],
    ['""\n"",""\n', [[2, '', '']]],
    ['a b, c\n', [[1, 'a b', ' c']]],
    ['a"b,c\n', undefined],
    ['"a"b\n', undefined],
    ['"never closed\nand on\n', undefined],
    ['a\rb\n', undefined],
    ['"a\rb"\n', undefined],
    [
      '"a\r\nb",c\r\nd',
      [
        [1, 'a\r\nb', 'c'],
        [3, 'd'],
      ],
    ],
    [
      '\n\r\n"a\r\n\nb"\r\n\r\nc',
      [
        [3, 'a\r\n\nb'],
        [7, 'c'],
      ],
    ],
  ] as const)('%j', (text, expected) => {
    if (expected === undefined) expect(() => parseCsv(text)).toThrow(CsvError);
    else expect(parseCsv(text).map(({ line, fields }) => [line, ...fields])).toEqual(expected);
  });

  it('says on which line it went wrong', () => {
    expect(() => parseCsv('a\n"b\nc"\nd"e\n')).toThrow(expect.objectContaining({ line: 4 }));
    expect(() => parseCsv('a\n"b\nc\n')).toThrow(expect.objectContaining({ line: 2 }));
    expect(() => parseCsv('\n\na\r\n"b\r\nc"\r\n\r\nd,e"\n')).toThrow(expect.objectContaining({ line: 7 }));
    expect(() => parseCsv('a\n\nb\r,c\n')).toThrow(expect.objectContaining({ line: 3 }));
  });

  it('ends at the most records that it may read', () => {
    expect(parseCsv('a\n\nb\n', 2)).toHaveLength(2);
    expect(() => parseCsv('a\n\nb\nc\n', 2)).toThrow(RangeError);
    expect(() => parseCsv('a\nb,c\nd\n"', 2)).toThrow(RangeError);
  });

  it('takes no longer than the text is long', () => {
    expect(parseCsv(`"${'""'.repeat(500_000)}"`)[0]!.fields[0]).toHaveLength(500_000);
    expect(() => parseCsv(`"${'""'.repeat(500_000)}`)).toThrow(CsvError);
    expect(parseCsv(','.repeat(500_000))[0]!.fields).toHaveLength(500_001);
  });
});
