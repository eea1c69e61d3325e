import { randomUUID } from 'node:crypto';
import { recordKeys, type Author, type NewControlRecord, type RuleRecord, type Tenant } from '../../control/index.js';
import { selectorKeys, type Selection } from '../../rules/index.js';

type Told = Pick<RuleRecord, 'effect' | 'before' | 'until' | 'resume' | 'reauthenticate' | 'reason' | 'after_lift_of'>;

/** Makes the record of a new rule, with the key that decides (wire.md, "Namespaced values and rule keys"). */
export function ruleRecord(
  tenant: Tenant,
  author: Author,
  { selector, or }: Selection,
  told: Told,
): NewControlRecord & { body: RuleRecord } {
  const id = randomUUID();
  const body: RuleRecord = {
    id,
    selector,
    ...(or ? { or } : {}),
    ...recordKeys(selectorKeys(tenant.key, selector, or)),
    author,
    ...told,
  };
  return { kind: 'rule.ordered', tenant: tenant.id, subject: id, body };
}
