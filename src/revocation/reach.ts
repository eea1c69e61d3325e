import { RescindError } from '../contracts/index.js';
import type { Author, Caller, CallerRoles } from '../control/index.js';
import { expandSelector, type OtherValues, type Selector } from '../rules/index.js';

/**
 * Refuses a selector beyond the caller's `revoke` role. A role bound to issuers or resources needs the selector to name one of them: a
 * member that has an issuer names it, `issuer` and `resource` name themselves, a digest names nothing. Further members only narrow a
 * conjunction, so one such member is enough. `all` is for administrators of the tenant.
 */
export function requireReach(roles: CallerRoles, selector: Selector): void {
  const bound = roles.revoke;
  if (!bound) throw new RescindError('forbidden', { detail: 'the caller lacks the role revoke' });
  const wholeTenant = 'tenant' in bound;
  if (selector.all === true && !(wholeTenant && roles.admin)) {
    throw new RescindError('selector-too-wide', {
      detail: '`all` needs the role admin and `revoke` for the whole tenant',
    });
  }
  if (!isWithin(bound, selector)) {
    throw new RescindError('selector-too-wide', {
      detail: 'name one of the issuers or resources that the caller may revoke for',
    });
  }
}

/**
 * Refuses to lift a rule that another caller ordered, unless the caller may revoke for the whole tenant. A member within its bound lets a
 * caller stop things, not release what others stopped.
 */
export function requireOwnRule({ id, roles }: Caller, rule: OrderedRule): void {
  for (const one of expandSelector(rule.selector, rule.or)) requireReach(roles, one);
  if (!isWholeTenant(roles) && rule.author.caller !== id) {
    throw new RescindError('forbidden', {
      detail: 'only its author, or a caller that may revoke for the whole tenant, lifts this block',
    });
  }
}

/**
 * Whether the caller may read the rule. An auditor, and a caller that may revoke for the whole tenant, read every rule; others their own
 * and those within their bound.
 */
export function mayRead({ id, roles }: Caller, { selector, or, author }: OrderedRule): boolean {
  if (readsAll({ roles }) || author.caller === id) return true;
  const bound = roles.revoke;
  return bound !== undefined && expandSelector(selector, or).every((one) => isWithin(bound, one));
}

/** Whether the caller may read every rule. */
export const readsAll = ({ roles }: Pick<Caller, 'roles'>): boolean =>
  roles.audit !== undefined || isWholeTenant(roles);

interface OrderedRule {
  readonly selector: Selector;
  readonly or?: OtherValues | undefined;
  readonly author: Author;
}

const isWholeTenant = ({ revoke }: CallerRoles): boolean => revoke !== undefined && 'tenant' in revoke;

function isWithin(bound: NonNullable<CallerRoles['revoke']>, selector: Selector): boolean {
  if ('tenant' in bound) return true;
  if (selector.resource !== undefined && bound.resources.includes(selector.resource)) return true;
  return issuersNamed(selector).some((issuer) => bound.issuers.includes(issuer));
}

const issuersNamed = ({ issuer, ...members }: Selector): readonly string[] => [
  ...Object.values(members).flatMap((member) => (typeof member === 'object' && 'iss' in member ? [member.iss] : [])),
  ...(issuer === undefined ? [] : [issuer]),
];
