import { describe, expect, it } from '@jest/globals';
import type { CallerRoles } from '../../control/index.js';
import { maySeePayloads } from './payloads.js';

describe('payloads are shown', () => {
  it.each<[CallerRoles, boolean]>([
    [{}, false],
    [{ audit: {} }, true],
    [{ audit: { payloads: false } }, false],
    [{ audit: { payloads: false }, admin: {} }, false],
    [{ audit: { payloads: false }, revoke: { tenant: true } }, false],
    [{ admin: {} }, true],
    [{ revoke: { tenant: true } }, false],
    [{ emit: { sources: ['crm'] } }, false],
    // A record of a later release.
    [{ audit: { payloads: 'some' } } as unknown as CallerRoles, false],
  ])('to a caller with %j: %j', (roles, shown) => expect(maySeePayloads({ roles })).toBe(shown));
});
