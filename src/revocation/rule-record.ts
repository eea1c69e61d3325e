import { randomUUID } from 'node:crypto';
import type { Author, NewControlRecord, RuleRecord, Tenant } from '../control/index.js';
import { selectorKey, type Selector } from '../rules/index.js';

type Told = Pick<RuleRecord, 'effect' | 'before' | 'until' | 'resume' | 'reauthenticate' | 'reason' | 'after_lift_of'>;

/** The record of a new rule, with the key that decides (wire.md, "Namespaced values and rule keys"). */
export function ruleRecord(tenant: Tenant, author: Author, selector: Selector, told: Told): NewControlRecord & { body: RuleRecord } {
  const { shape, key } = selectorKey(tenant.key, selector);
  const id = randomUUID();
  const body: RuleRecord = { id, selector, shape, key: Buffer.from(key, 'latin1').toString('base64url'), author, ...told };
  return { kind: 'rule.ordered', tenant: tenant.id, subject: id, body };
}
