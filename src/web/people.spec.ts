import { describe, expect, it } from '@jest/globals';
import { PEOPLE_ROLES, type PeopleRole } from '../platform/config/index.js';
import { maySeePayloads } from '../registry/index.js';
import { rightsOf } from './people.js';

const SEES: readonly PeopleRole[] = ['investigator', 'admin'];
const ALL_SETS = Array.from({ length: 2 ** PEOPLE_ROLES.length }, (_, bits) =>
  PEOPLE_ROLES.filter((_role, nth) => (bits >> nth) & 1),
);

describe('the rights of people', () => {
  it.each(ALL_SETS.flatMap((roles) => [[roles], [roles.toReversed()]]))(
    'of %j are all that any of the roles gives, in any order',
    (roles) => {
      const rights = rightsOf(roles);
      expect({
        looks: rights.audit !== undefined,
        sees: maySeePayloads({ roles: rights }),
        stops: rights.revoke !== undefined,
        administers: rights.admin !== undefined,
      }).toEqual({
        looks: roles.length > 0,
        sees: roles.some((role) => SEES.includes(role)),
        stops: roles.includes('responder') || roles.includes('admin'),
        administers: roles.includes('admin'),
      });
    },
  );
});
