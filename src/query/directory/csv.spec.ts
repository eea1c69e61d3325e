import { describe, expect, it } from '@jest/globals';
import { CsvError, parseCsv } from './csv.js';

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
  ] as const)('%j', (text, expected) => {
    if (expected === undefined) expect(() => parseCsv(text)).toThrow(CsvError);
    else expect(parseCsv(text).map(({ line, fields }) => [line, ...fields])).toEqual(expected);
  });

  it('says on which line it went wrong', () => {
    expect(() => parseCsv('a\n"b\nc"\nd"e\n')).toThrow(expect.objectContaining({ line: 4 }));
    expect(() => parseCsv('a\n"b\nc\n')).toThrow(expect.objectContaining({ line: 2 }));
  });

  it('takes no longer than the text is long', () => {
    expect(parseCsv(`"${'""'.repeat(500_000)}"`)[0]!.fields[0]).toHaveLength(500_000);
    expect(() => parseCsv(`"${'""'.repeat(500_000)}`)).toThrow(CsvError);
    expect(parseCsv(','.repeat(500_000))[0]!.fields).toHaveLength(500_001);
  });
});
