import {
  recordedKeys,
  type ControlRecord,
  type ControlState,
  type RecordedKeys,
  type Tenant,
} from '../../control/index.js';
import {
  deadFrom,
  DIMENSIONS,
  ruleKeyToBytes,
  splitSelectorKey,
  type Rule,
  type SelectorKey,
} from '../../rules/index.js';

/** Message about one rule to a resource app: keys and times, no name. */
export interface RuleMessage {
  /** The rule's id. If the rule has several selectors, also which of them. */
  readonly key: string;
  /** null is a tombstone: the rule no longer stops anything. */
  readonly value: string | null;
}

/**
 * Returns the messages of a control record for its tenant's topic: each rule that it changed, in its present state. The state may be ahead
 * of the record; a later record then repeats the same message.
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

/** Whether the tenant's topic needs a tombstone for the rule. */
export const isGone = (tenant: Tenant, key: string, now: number): boolean => liveRow(tenant, key, now) === undefined;

/** Returns the message's key: the rule's id. If a rule has several selectors, each has a message with a key of its own. */
const messageKey = (id: string, { key }: Pick<SelectorKey, 'key'>): string =>
  `${id}/${Buffer.from(key, 'latin1').toString('base64url')}`;

function liveRow(tenant: Tenant, key: string, now: number): Rule | undefined {
  const [id] = key.split('/', 1);
  const rule = tenant.rules
    .rowsOf(id!)
    .find((row) => key === (row.isOneOfSeveral ? messageKey(id!, row.selector) : id));
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

/** Finds blocks that an enabling event turned into a `revoke` as of its time. */
function enabledBlocks(
  tenant: Tenant,
  { origin, ...recorded }: Extract<ControlRecord, { kind: 'subject.enabled' }>['body'],
): readonly string[] {
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
    ...(rule.effect === 'revoke' && !rule.byIdentity
      ? { before: rule.before, as_of_order: rule.asOfOrder, reauthenticate: rule.reauthenticate }
      : {}),
    ...(rule.until === undefined ? {} : { until: rule.until }),
    ...(rule.resume === true ? { resume: true } : {}),
    dead_from: deadFrom(rule) ?? null,
  };
}
