import { recordedKeys, type ControlRecord, type ControlState, type RecordedKeys, type Tenant } from '../../control/index.js';
import { deadFrom, DIMENSIONS, ruleKeyToBytes, splitSelectorKey, type Rule, type SelectorKey } from '../../rules/index.js';

/** What a resource app is told of one rule: keys and times, no name. */
export interface RuleMessage {
  /** The rule's id; of a rule with several selectors also which of them. */
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
  return changedRules(record, tenant).map((key) => ruleMessage(tenant, key, now));
}

export function ruleMessage(tenant: Tenant, key: string, now: number): RuleMessage {
  const rule = liveRow(tenant, key, now);
  return { key, value: rule === undefined ? null : JSON.stringify(ruleView(rule)) };
}

/** Whether the tenant's topic needs a tombstone for it. */
export const isGone = (tenant: Tenant, key: string, now: number): boolean => liveRow(tenant, key, now) === undefined;

/** A rule's message has its id as its key; each selector of several has a message, whose key tells them apart. */
const messageKey = (id: string, { key }: Pick<SelectorKey, 'key'>): string => `${id}/${Buffer.from(key, 'latin1').toString('base64url')}`;

function liveRow(tenant: Tenant, key: string, now: number): Rule | undefined {
  const [id] = key.split('/', 1);
  const rule = tenant.rules.rowsOf(id!).find((row) => key === (row.isOneOfSeveral ? messageKey(id!, row.selector) : id));
  return rule === undefined || now >= (deadFrom(rule) ?? Infinity) ? undefined : rule;
}

function changedRules(record: ControlRecord, tenant: Tenant): readonly string[] {
  switch (record.kind) {
    case 'rule.ordered':
      return messageKeys(record.body.id, record.body);
    case 'rule.lifted':
      return messageKeys(record.body.rule, record.body.several);
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

function messageKeys(id: string, recorded: RecordedKeys | undefined): readonly string[] {
  if (recorded?.or_keys === undefined) return [id];
  return recordedKeys(recorded).keys.map((key) => messageKey(id, { key }));
}

/** Blocks that an enabling event ended are a `revoke` as of its time. */
function enabledBlocks(tenant: Tenant, { origin, ...recorded }: Extract<ControlRecord, { kind: 'subject.enabled' }>['body']): readonly string[] {
  const before = Math.floor(origin.at / 1000);
  const { shape, keys } = recordedKeys(recorded);
  return keys
    .flatMap((key) => tenant.rules.under({ shape, key }))
    .filter((rule) => rule.effect === 'revoke' && !rule.asOfOrder && rule.before === before)
    .map((rule) => (rule.isOneOfSeveral ? messageKey(rule.id, rule.selector) : rule.id));
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
