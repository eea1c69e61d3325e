import { describe, expect, it } from '@jest/globals';
import { formatRecord, formatTable } from './output.js';
import { readMembers, readSeconds } from './option-values.js';

describe('output', () => {
  it('aligns columns and members', () => {
    const rows = [
      { id: 'a', roles: { audit: {} } },
      { id: 'longer', roles: ['x', 'y'] },
    ];
    expect(formatTable(rows, ['id', 'roles'])).toBe('ID      ROLES\na       {"audit":{}}\nlonger  x, y\n');
    expect(formatTable([], ['id'])).toBe('none\n');
    expect(formatRecord({ id: 'a', disabled: false, regrant_after: null })).toBe(
      'id             a\ndisabled       false\nregrant_after  -\n',
    );
  });

  it('shows no control characters of names from outside', () => {
    expect(formatRecord({ name: 'a\u001b[2Jb\nc' })).toBe('name  a\\u{1b}[2Jb\\u{a}c\n');
  });
});

describe('option values', () => {
  it('reads members, also with commas and equal signs in a value', () => {
    expect(readMembers('iss=https://idp.example?a=b,sub=ali,ce')).toEqual({
      iss: 'https://idp.example?a=b',
      sub: 'ali,ce',
    });
    expect(() => readMembers('alice')).toThrow('name=value');
  });

  it('reads times', () => {
    expect(readSeconds('--until', '2026-11-24T08:00:00Z')).toBe(1_795_507_200);
    expect(readSeconds('--until', '1795507200')).toBe(1_795_507_200);
    for (const text of ['tomorrow', '2026', '1795507200000', ''])
      expect(() => readSeconds('--until', text)).toThrow('--until');
  });
});
