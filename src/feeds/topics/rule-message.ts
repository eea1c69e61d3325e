import type { ControlRecord, ControlState, Tenant } from '../../control/index.js';
import { deadFrom, DIMENSIONS, ruleKeyToBytes, splitSelectorKey, type Rule } from '../../rules/index.js';

/** What a resource app is told of one rule: keys and times, no name. */
export interface RuleMessage {
  /** The rule's id. */
  readonly key: string;
  /** null, a tombstone: the rule stops nothing any more. */
  readonly value: string | null;
}

/**
 * What a control record means for its tenant's topic: each rule that it changed, as it is folded by now. The state may be ahead
 * of the record; then a later record tells the same again.
 */
export function ruleMessages(record: ControlRecord, state: ControlState, now: number): readonly RuleMessage[] {
  const tenant = state.tenant(record.tenant);
  if (!tenant) return [];
  return changedRules(record, tenant).map((id) => ruleMessage(tenant, id, now));
}

export function ruleMessage(tenant: Tenant, id: string, now: number): RuleMessage {
  const rule = liveRule(tenant, id, now);
  return { key: id, value: rule === undefined ? null : JSON.stringify(ruleView(rule)) };
}

/** Whether the tenant's topic needs a tombstone for it. */
export const isGone = (tenant: Tenant, id: string, now: number): boolean => liveRule(tenant, id, now) === undefined;

function liveRule(tenant: Tenant, id: string, now: number): Rule | undefined {
  const rule = tenant.rules.get(id);
  return rule === undefined || now >= (deadFrom(rule) ?? Infinity) ? undefined : rule;
}

function changedRules(record: ControlRecord, tenant: Tenant): readonly string[] {
  switch (record.kind) {
    case 'rule.ordered':
      return [record.body.id];
    case 'rule.lifted':
      return [record.body.rule];
    case 'subject.enabled':
      return enabledBlocks(tenant, record.body);
    case 'tenant.changed':
    case 'source.changed':
    case 'caller.changed':
      return [];
    default:
      return record satisfies never;
  }
}

/** Blocks that an enabling event ended are a `revoke` as of its time. */
function enabledBlocks(tenant: Tenant, { shape, key, origin }: Extract<ControlRecord, { kind: 'subject.enabled' }>['body']): readonly string[] {
  const before = Math.floor(origin.at / 1000);
  return tenant.rules
    .under({ shape, key: Buffer.from(key, 'base64url').toString('latin1') })
    .filter((rule) => rule.effect === 'revoke' && !rule.asOfOrder && rule.before === before)
    .map(({ id }) => id);
}

function ruleView(rule: Rule): Readonly<Record<string, unknown>> {
  const keys = splitSelectorKey(rule.selector);
  return {
    id: rule.id,
    seq: String(rule.seq),
    effect: rule.effect,
    shape: DIMENSIONS.filter((_, position) => rule.selector.shape & (1 << position)),
    keys: Object.fromEntries(keys.map(([dimension, key]) => [dimension, ruleKeyToBytes(key).toString('base64url')])),
    ...(rule.effect === 'revoke' && !rule.byIdentity ? { before: rule.before, as_of_order: rule.asOfOrder, reauthenticate: rule.reauthenticate } : {}),
    ...(rule.until === undefined ? {} : { until: rule.until }),
    ...(rule.resume === true ? { resume: true } : {}),
    dead_from: deadFrom(rule) ?? null,
  };
}
