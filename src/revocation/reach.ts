import { RescindError } from '../contracts/index.js';
import type { CallerRoles } from '../control/index.js';
import type { Selector } from '../rules/index.js';

/**
 * Refuses a selector that reaches beyond the caller's `revoke` role. A role bound to issuers or resources needs the
 * selector to name one of them: a member that has an issuer names it, `issuer` and `resource` name themselves, a digest
 * names nothing. A conjunction only narrows, so one such member is enough. `all` is for administrators of the tenant.
 */
export function requireReach(roles: CallerRoles, selector: Selector): void {
  const bound = roles.revoke;
  if (!bound) throw new RescindError('forbidden', { detail: 'the caller lacks the role revoke' });
  const wholeTenant = 'tenant' in bound;
  if (selector.all === true && !(wholeTenant && roles.admin)) {
    throw new RescindError('selector-too-wide', { detail: '`all` needs the role admin and `revoke` for the whole tenant' });
  }
  if (wholeTenant) return;
  const namesIssuer = issuersNamed(selector).some((issuer) => bound.issuers.includes(issuer));
  const namesResource = selector.resource !== undefined && bound.resources.includes(selector.resource);
  if (!namesIssuer && !namesResource) {
    throw new RescindError('selector-too-wide', { detail: 'name one of the issuers or resources that the caller may revoke for' });
  }
}

const issuersNamed = ({ token, id_jag: idJag, session, user, client, agent, issuer }: Selector): readonly string[] => [
  ...[token, idJag, session, user, client, agent].flatMap((member) => (member && 'iss' in member ? [member.iss] : [])),
  ...(issuer === undefined ? [] : [issuer]),
];
