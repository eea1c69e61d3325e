import type { CallerRoles } from '../control/index.js';
import { PEOPLE_ROLES, type PeopleRole } from '../platform/config/index.js';

/** Rights of each role of people, in the words of the rights of callers. Every role may look. */
const RIGHTS: Readonly<Record<PeopleRole, CallerRoles>> = {
  viewer: { audit: {} },
  investigator: { audit: {} },
  responder: { audit: {}, revoke: { tenant: true } },
  admin: { audit: {}, revoke: { tenant: true }, admin: {} },
};

/** Returns the rights of somebody with these roles: all that any of them gives. */
export const rightsOf = (roles: readonly PeopleRole[]): CallerRoles =>
  Object.assign({}, ...PEOPLE_ROLES.filter((role) => roles.includes(role)).map((role) => RIGHTS[role]));

/** Names a person where a caller is named. No registered caller has such an id, and an issuer has no fragment (OpenID Connect Discovery, section 3). */
export const personId = ({ iss, sub }: { readonly iss: string; readonly sub: string }): string =>
  `person:${iss}#${sub}`;

/** Issuer of people who signed in by a link; their subject is the caller that made it. */
export const LINK_ISSUER = 'urn:rescind:sign-in-link';
