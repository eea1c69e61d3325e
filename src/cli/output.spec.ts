import { describe, expect, it } from '@jest/globals';
import { formatRecord, formatTable, localTime } from './output.js';
import { readMembers, readMoment, readSeconds } from './option-values.js';

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
    expect(readMoment('--until', '2026-11-24')).toBe('2026-11-24T00:00:00Z');
    const [before, after] = [readSeconds('--from', '1h')!, readSeconds('--until', '1h', 'after')!];
    expect(after - before).toBeGreaterThanOrEqual(7_200);
    expect(readMoment('--until', undefined)).toBeUndefined();
    for (const text of ['tomorrow', '2026', '1795507200000', ''])
      expect(() => readSeconds('--until', text)).toThrow(/^--until /);
  });
});

describe('times of answers', () => {
  it.each([
    ['UTC', '2026-11-24T09:00:00Z', '2026-11-24T09:00:00Z'],
    ['Europe/Berlin', '2026-11-24T09:00:00Z', '2026-11-24T10:00:00+01:00'],
    ['Europe/Berlin', '2026-07-24T23:00:00.123Z', '2026-07-25T01:00:00.123+02:00'],
    ['America/St_Johns', '2026-11-24T03:00:00Z', '2026-11-23T23:30:00-03:30'],
    ['Asia/Kolkata', '2026-11-24T09:00:00Z', '2026-11-24T14:30:00+05:30'],
    ['Europe/Berlin', '2026-11-24', '2026-11-24'],
    ['Europe/Berlin', 'a 2026-11-24T09:00:00Z', 'a 2026-11-24T09:00:00Z'],
  ])('are shown in their zone: %s, %s', (name, text, local) => {
    expect(localTime(text, name)).toBe(local);
    if (local !== text) expect(readMoment('--from', local)).toBe(text.replace('.123', ''));
  });

  it('are shown in the zone of the process in records and tables', () => {
    const at = '2026-11-24T09:00:00Z';
    expect(formatRecord({ at })).toBe(`at  ${localTime(at)}\n`);
    expect(formatTable([{ at }], ['at'])).toContain(`\n${localTime(at)}\n`);
  });
});
