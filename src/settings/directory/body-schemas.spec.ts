import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { RescindError } from '../../contracts/index.js';
import { readDirectoryFile } from './import-file.js';
import { ENTRY, OF_TEAM, orInvalid, OWNED, readOwned, readRow } from './rows.js';
import { readScimUser, SCIM_USER } from './scim-user.js';

const ajv = new Ajv2020({ strict: false });
const [entry, owned, ofTeam, user] = [ENTRY, OWNED, OF_TEAM, SCIM_USER].map((schema) => ajv.compile(schema));
const NAME = { iss: 'https://idp.example', id: 'wiki' };

const text = fc.constantFrom('Ann', '', 'x'.repeat(512), 'x'.repeat(513), 'a\nb', '\u2028', 1, [], {}, null);
const email = fc.constantFrom('ann@example.com', 'Ann@Example.com', 'ann', 'a@b@c', ' @b', '', 1, null);
const emails = fc.oneof(
  fc.array(email, { maxLength: 3 }),
  fc.constantFrom(
    null,
    '',
    'ann@example.com',
    {},
    Array.from({ length: 21 }, () => 'a@b'),
  ),
);
const flag = fc.constantFrom(true, false, 'true', '', null, []);
const tag = fc.constantFrom(
  'sensitive',
  'not-sensitive',
  'x'.repeat(63),
  'x'.repeat(64),
  'Sensitive',
  '',
  'a b',
  1,
  null,
);
const tags = fc.oneof(
  fc.array(tag, { maxLength: 2 }),
  fc.constantFrom(
    null,
    '',
    'sensitive',
    {},
    Array.from({ length: 21 }, (_, nth) => `t-${nth}`),
  ),
);
const kind = fc.constantFrom('user', 'client', 'agent', 'resource', 'team', 'group', 1);
const plain = fc.record({ display_name: text, owner: text, team: text, tags, other: text }, { requiredKeys: [] });
const ofTeams = fc.oneof(plain, fc.record({ display_name: text, owner: text, tags }, { requiredKeys: [] }));
const entries = fc.oneof(
  fc
    .record(
      {
        kind,
        iss: text,
        id: text,
        tenant: text,
        display_name: text,
        user_name: text,
        emails,
        active: flag,
        team: text,
        tags,
      },
      { requiredKeys: ['kind'] },
    )
    .filter((value) => value.kind === 'user'),
  fc.record(
    {
      kind,
      iss: fc.constant('a'),
      id: fc.constant('b'),
      tenant: text,
      display_name: text,
      user_name: text,
      emails,
      active: flag,
      owner: text,
      team: text,
      tags,
    },
    { requiredKeys: ['kind', 'iss', 'id'] },
  ),
  fc.record(
    {
      kind: fc.constantFrom('resource', 'team'),
      id: fc.constantFrom('https://wiki.example', 'Finance', ''),
      iss: fc.constantFrom('', null, 'a'),
      display_name: text,
      owner: text,
      team: fc.constantFrom('', null, 'Finance'),
      tags,
    },
    { requiredKeys: ['kind', 'id'] },
  ),
  fc.record(
    {
      kind: fc.constantFrom('client', 'agent'),
      iss: fc.constant('a'),
      id: fc.constant('b'),
      display_name: text,
      owner: text,
    },
    { requiredKeys: ['kind', 'iss', 'id'] },
  ),
  fc.constantFrom(null, 'x', [], 1),
);
const attribute = fc.constantFrom('nickName', 'groups', 'urn:example:more', 'password', 'unheard');
const users = fc.oneof(
  fc
    .tuple(
      fc.record(
        {
          schemas: fc.constantFrom(['urn:ietf:params:scim:schemas:core:2.0:User'], [], 'x', ['y']),
          userName: fc.oneof(fc.constant('ann'), text),
          displayName: text,
          name: fc.constantFrom(null, 'x', {}, { formatted: 'Ann' }, { formatted: 1 }),
          emails: fc.oneof(fc.array(fc.oneof(fc.record({ value: email }), email), { maxLength: 2 }), fc.constant(null)),
          active: flag,
          tags,
        },
        { requiredKeys: [] },
      ),
      fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, fc.dictionary(attribute, fc.constant('x'), { maxKeys: 1 })),
    )
    .map(([known, more]) => ({ ...known, ...more })),
  fc.constantFrom(null, 'x', [], {}),
);

function isTaken(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof RescindError) return false;
    throw error;
  }
}

const plainBody =
  (of: 'client' | 'team', name: object) =>
  (value: unknown): unknown =>
    orInvalid(() => readRow(of, name, readOwned(of, value)));

describe('the schema of a body of the directory in OpenAPI', () => {
  it.each([
    ['a client, agent or resource', owned!, plain, plainBody('client', NAME)],
    ['a team', ofTeam!, ofTeams, plainBody('team', { id: 'Finance' })],
    ['a SCIM User', user!, users, (value: unknown) => orInvalid(() => readRow('user', NAME, readScimUser(value)))],
    [
      'an entry of an import',
      entry!,
      entries,
      (value: unknown) => readDirectoryFile(Buffer.from(JSON.stringify([value])), 'application/json'),
    ],
  ] as const)('%s: allows what is read, and nothing else', (_what, validate, bodies, read) => {
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(bodies as fc.Arbitrary<unknown>, (value) => {
        const taken = isTaken(() => read(value));
        seen[taken ? 'taken' : 'refused'] += 1;
        expect({ value, taken: validate(value), errors: taken ? validate.errors : null }).toEqual({
          value,
          taken,
          errors: null,
        });
      }),
      { numRuns: 6_000 },
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(20);
  });
});
