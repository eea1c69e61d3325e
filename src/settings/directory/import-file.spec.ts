import { describe, expect, it } from '@jest/globals';
import type { RescindError } from '../../contracts/index.js';
import { CSV_MEDIA_TYPE, readDirectoryFile } from './import-file.js';

const IDP = 'https://idp.example';
const csv = (...lines: string[]) => readDirectoryFile(Buffer.from(lines.join('\n')), CSV_MEDIA_TYPE);
const json = (value: unknown) => readDirectoryFile(Buffer.from(JSON.stringify(value)), 'application/json');
const refusalOf = (read: () => unknown) => {
  try {
    read();
  } catch (error) {
    const { code, extensions } = error as RescindError;
    return [
      code,
      ((extensions?.['lines'] ?? []) as { line: number; detail: string }[]).map(
        ({ line, detail }) => `${line}: ${detail}`,
      ),
    ];
  }
  throw new Error('it was taken');
};

const ALICE = {
  kind: 'user',
  parts: [IDP, 'acme', 'alice'],
  display_name: 'Alice A.',
  user_name: null,
  emails: ['alice@acme.example'],
  active: null,
  owner: null,
  team: null,
  tags: null,
};
const MAILER = {
  kind: 'client',
  parts: [IDP, 'mailer'],
  display_name: 'Mailer, the',
  user_name: null,
  emails: [],
  active: null,
  owner: 'Bob',
  team: null,
  tags: null,
};
const PAYROLL = {
  ...MAILER,
  kind: 'resource',
  parts: ['https://payroll.example'],
  display_name: null,
  owner: null,
  team: 'Finance',
  tags: ['audited', 'sensitive'],
};
const FINANCE = { ...PAYROLL, kind: 'team', parts: ['Finance'], owner: 'Bob', team: null, tags: [] };

describe('a directory file', () => {
  it('is the same as CSV, in any order of columns, and as JSON', () => {
    const rows = csv(
      'display_name,kind,iss,id,tenant,emails,owner',
      `Alice A.,user,${IDP},alice,acme, Alice@acme.example ; alice@ACME.example,`,
      `"Mailer, the",client,${IDP},mailer,,,Bob`,
    );
    expect(rows).toEqual([ALICE, MAILER]);
    expect(
      json([
        {
          kind: 'user',
          iss: IDP,
          tenant: 'acme',
          id: 'alice',
          display_name: 'Alice A.',
          emails: ['Alice@acme.example'],
        },
        { kind: 'client', iss: IDP, id: 'mailer', display_name: 'Mailer, the', owner: 'Bob' },
      ]),
    ).toEqual([ALICE, MAILER]);
  });

  it('names resources and teams without an issuer; a tag that is given twice is one, and an empty field takes the tags away', () => {
    const rows = csv(
      'kind,iss,id,owner,team,tags',
      'resource,,https://payroll.example,,Finance, sensitive;audited ;sensitive',
      'team,,Finance,Bob,,',
    );
    expect(rows).toEqual([PAYROLL, FINANCE]);
    expect(
      json([
        { kind: 'resource', id: 'https://payroll.example', team: 'Finance', tags: ['sensitive', 'audited'] },
        { kind: 'team', id: 'Finance', owner: 'Bob', tags: [] },
      ]),
    ).toEqual([PAYROLL, FINANCE]);
  });

  it('may begin with a byte order mark, as spreadsheets write it', () => {
    expect(csv('\ufeffkind,iss,id,owner', `agent,${IDP},agent-7,Bob`)).toHaveLength(1);
  });

  it('is refused whole, with every line that is wrong', () => {
    expect(
      refusalOf(() =>
        csv(
          'kind,iss,tenant,id,display_name,user_name,emails,active,owner,team,tags',
          `person,${IDP},,x,X,,,,,,`,
          `user,,,x,X,,,,,,`,
          `user,${IDP},,,X,,,,,,`,
          `user,${IDP},,x,,,,,,,`,
          `user,${IDP},,x,X,,nobody,,,,`,
          `user,${IDP},,x,X,,,perhaps,,,`,
          `user,${IDP},,x,X,,,,Carol,,`,
          `client,${IDP},acme,x,X,,,,,,`,
          `agent,${IDP},,x,X,,a@b.example,,,,`,
          `user,${IDP},,fine,X,,,,,,`,
          `user,${IDP},,fine,Y,,,,,,`,
          `user,${IDP},,${'x'.repeat(513)},X,,,,,,`,
          `user,${IDP},,x,A\u0007B,,,,,,`,
          `resource,${IDP},,https://x.example,X,,,,,,`,
          `team,,,Finance,,,,,,Sales,`,
          `team,,,Sales,,,,,,,Sensitive`,
          `user,${IDP},,y,,,,,,,${'t'.repeat(64)}`,
          `user,${IDP},,z,,,,,,,${Array.from({ length: 21 }, (_, nth) => `t-${nth}`).join(';')}`,
        ),
      ),
    ).toEqual([
      'invalid-request',
      [
        '2: `kind` is one of user, client, agent, resource, team',
        '3: `iss` is missing',
        '4: `id` is missing',
        '5: says nothing: give at least one name, email, owner, team or tag',
        '6: `emails` holds what is no address',
        '7: `active` is true or false',
        '8: `owner` belongs to clients, agents, resources and teams',
        '9: `tenant` belongs to users',
        '10: `emails` belongs to users',
        '12: names what line 11 names',
        '13: `id` is over 512 bytes',
        '14: `display_name` holds a control character or a lone surrogate',
        '15: `iss` belongs to users, clients and agents',
        '16: `team` belongs to users, clients, agents and resources',
        '17: a tag has 1 to 63 characters of a-z, 0-9 and -',
        '18: a tag has 1 to 63 characters of a-z, 0-9 and -',
        '19: `tags` has over 20 tags',
      ],
    ]);
  });

  it.each([
    [
      'no header',
      [''],
      ['1: the first line names the columns: kind,iss,tenant,id,display_name,user_name,emails,active,owner,team,tags'],
    ],
    [
      'a column that there is not',
      ['kind,iss,id,name'],
      ['1: `name` is no column; there are kind,iss,tenant,id,display_name,user_name,emails,active,owner,team,tags'],
    ],
    ['a column twice', ['kind,kind'], ['1: a column is named twice']],
    ['a field too few', ['kind,iss,id,owner', 'client,i'], ['2: has 2 fields, and the header 4']],
    ['an open quote', ['kind,iss,id,owner', 'client,"i'], ['2: a quote is not closed']],
  ])('with %s', (_, lines, expected) => expect(refusalOf(() => csv(...lines))).toEqual(['invalid-request', expected]));

  it.each([
    ['no list', {}, ['invalid-request', []]],
    [
      'an item that is no object',
      ['x', null, []],
      ['invalid-request', [1, 2, 3].map((line) => `${line}: \`kind\` is one of user, client, agent, resource, team`)],
    ],
    [
      'a member that there is not',
      [{ kind: 'agent', iss: 'i', id: 'x', name: 'X' }],
      ['invalid-request', ['1: `name` is no member of an entry']],
    ],
    [
      'a number for a name',
      [{ kind: 'agent', iss: 'i', id: 7, owner: 'X' }],
      ['invalid-request', ['1: `id` is a text']],
    ],
  ])('as JSON, with %s', (_, value, expected) => expect(refusalOf(() => json(value))).toEqual(expected));

  it('as JSON that two readers may read differently', () => {
    expect(
      refusalOf(() => readDirectoryFile(Buffer.from('[{"kind":"user","kind":"agent"}]'), 'application/json')),
    ).toEqual(['duplicate-key', []]);
    expect(refusalOf(() => readDirectoryFile(Buffer.from([0xff, 0xfe]), CSV_MEDIA_TYPE))).toEqual(['invalid-utf8', []]);
  });

  it('of too many entries', () => {
    expect(
      refusalOf(() =>
        csv('kind,iss,id,owner', ...Array.from({ length: 20_001 }, (_, nth) => `agent,${IDP},a${nth},Bob`)),
      ),
    ).toEqual(['too-large', []]);
  });
});
