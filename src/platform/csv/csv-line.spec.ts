import { describe, expect, it } from '@jest/globals';
import { csvLine } from './csv-line.js';

describe('a line of CSV', () => {
  it.each<[string, (string | number | null)[], string]>([
    ['plain cells', ['a', 7, null, ''], 'a,7,,\r\n'],
    [
      'a comma, a quote, ends of lines',
      ['a,b', 'say "so"', 'x\ny', 'x\r\ny'],
      '"a,b","say ""so""","x\ny","x\r\ny"\r\n',
    ],
    ['formulas', ['=1+1', '+1', '-1', '@x', '\t=1', '\r=1'], "'=1+1,'+1,'-1,'@x,'\t=1,\"'\r=1\"\r\n"],
    ['a formula in quotes', ['=HYPERLINK("http://x","y")'], '"\'=HYPERLINK(""http://x"",""y"")"\r\n'],
    ['signs inside', ['a=b', 'a-b'], 'a=b,a-b\r\n'],
    ['a negative number, which we wrote ourselves', [-1], '-1\r\n'],
  ])('%s', (_name, cells, line) => expect(csvLine(cells)).toBe(line));
});
