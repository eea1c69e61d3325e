import { RescindError } from '../../contracts/index.js';
import type { CallerRoles, ControlState } from '../../control/index.js';
import type { RolesInput } from '../inputs.js';

/**
 * Checks that every bound names something for which a source of the tenant is registered. A misspelt bound would grant nothing, so it is
 * refused.
 */
export function checkRoles(state: ControlState, tenant: string, roles: RolesInput): CallerRoles {
  const own = [...state.sources()].filter((source) => source.tenant === tenant);
  const names = new Set(own.map(({ name }) => name));
  const issuers = new Set(own.flatMap((source) => source.issuers));
  // An ID-JAG and a refresh token are addressed to the RAS, so an issuer may stand as a resource.
  const resources = new Set([...own.flatMap((source) => source.resources), ...issuers]);

  requireKnown('emit.sources', roles.emit?.sources, names);
  for (const role of ['introspect', 'guard'] as const) {
    requireKnown(`${role}.resources`, roles[role]?.resources, resources);
    requireKnown(`${role}.issuers`, roles[role]?.issuers, issuers);
  }
  requireKnown(
    'revoke-own.clients',
    roles['revoke-own']?.clients.map(({ iss }) => iss),
    issuers,
  );
  if (roles.revoke && 'issuers' in roles.revoke) {
    if (roles.revoke.issuers.length + roles.revoke.resources.length === 0)
      refuse('`roles.revoke` names neither an issuer nor a resource');
    requireKnown('revoke.issuers', roles.revoke.issuers, issuers);
    requireKnown('revoke.resources', roles.revoke.resources, resources);
  }
  return roles as CallerRoles;
}

function requireKnown(bound: string, values: readonly string[] | undefined, known: ReadonlySet<string>): void {
  const unknown = values?.find((value) => !known.has(value));
  if (unknown !== undefined)
    refuse(`\`roles.${bound}\`: no source of this tenant is registered for ${unknown.slice(0, 128)}`);
}

function refuse(detail: string): never {
  throw new RescindError('invalid-bound', { detail });
}
