import type { CallerRoles } from '../control/index.js';
import type { PeopleRole } from '../platform/config/index.js';
import { maySeePayloads } from '../registry/index.js';

const WITHOUT_PAYLOADS = { payloads: false } as const;
/** Rights of each role of people, in the words of the rights of callers. Every role may look. */
const RIGHTS: Readonly<Record<PeopleRole, CallerRoles>> = {
  viewer: { audit: WITHOUT_PAYLOADS },
  investigator: { audit: {} },
  responder: { audit: WITHOUT_PAYLOADS, revoke: { tenant: true } },
  admin: { audit: {}, revoke: { tenant: true }, admin: {} },
};

/** Returns the rights of somebody with these roles: all that any of them gives. */
export function rightsOf(roles: readonly PeopleRole[]): CallerRoles {
  const rights = roles.map((role) => RIGHTS[role]);
  const all: CallerRoles = Object.assign({}, ...rights);
  // The bound of one role does not bind what another one gives.
  return rights.some((one) => maySeePayloads({ roles: one })) ? { ...all, audit: {} } : all;
}

/** Names a person where a caller is named. No registered caller has such an id, and an issuer has no fragment (OpenID Connect Discovery, section 3). */
export const personId = ({ iss, sub }: { readonly iss: string; readonly sub: string }): string =>
  `person:${iss}#${sub}`;

/** Issuer of people who signed in by a link; their subject is the caller that made it. */
export const LINK_ISSUER = 'urn:rescind:sign-in-link';
