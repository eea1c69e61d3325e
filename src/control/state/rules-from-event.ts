import { ruleEffectOf } from '../../contracts/index.js';
import {
  isByIdentity,
  ruleTimeOf,
  selectionOfEvent,
  selectorKeys,
  selectorsOfEvent,
  subjectOfEvent,
  type RuleEvent,
  type RuleEventName,
} from '../../rules/index.js';
import type { Command } from '../log/control-log.pg.js';
import { recordKeys, type NewControlRecord, type RuleOrigin } from '../log/records.js';

export { isRuleEvent, type RuleEventName } from '../../rules/index.js';

export interface EventToRule {
  readonly tenant: { readonly id: string; readonly key: Uint8Array };
  /** Id and URI of the source. */
  readonly source: { readonly id: string; readonly uri: string };
  readonly event: RuleEvent & { readonly id: string; readonly timeMs: number; readonly arrivedMs: number };
  /** RFC 8785 form of the event. Other content under the same id orders nothing. */
  readonly content: string;
  readonly newId: () => string;
}

/** Counts the selectors that an event's rule has or its enabling looks up: the cost of folding it. */
export const weightOfEvent = (name: RuleEventName, data: unknown): number =>
  selectorsOfEvent({ name, data } as RuleEvent).length;

/** Builds the command of an event: one record. Its key makes it apply once, however often the event arrives. */
export function commandFromEvent(input: EventToRule): Command {
  const { tenant, source, event, content } = input;
  const subject = subjectOfEvent(event);
  const origin: RuleOrigin = {
    source: source.id,
    event: event.id,
    at: ruleTimeOf(event.name, event.timeMs, event.arrivedMs),
    ...(subject === undefined ? {} : { subject }),
  };
  return {
    records: [recordFor(input, origin)],
    from: 'event',
    once: { key: ['event', tenant.id, source.id, event.id], content },
  };
}

function recordFor({ tenant, source, event, newId }: EventToRule, origin: RuleOrigin): NewControlRecord {
  const selection = selectionOfEvent(event);
  const encoded = recordKeys(selectorKeys(tenant.key, selection.selector, selection.or));
  const id = newId();
  const { does } = ruleEffectOf(event.name);
  if (does === 'lift') return { kind: 'subject.enabled', tenant: tenant.id, subject: id, body: { ...encoded, origin } };
  // A revoke of what can be granted anew stops what was granted until the event: a later session of the user stays good, whenever the event arrives.
  const isOfBefore = does === 'revoke' && !isByIdentity(selection.selector);
  return {
    kind: 'rule.ordered',
    tenant: tenant.id,
    subject: id,
    body: {
      id,
      effect: does,
      ...selection,
      ...encoded,
      ...(isOfBefore ? { before: Math.floor(origin.at / 1000) } : {}),
      reauthenticate: false,
      reason: event.name,
      author: { caller: source.uri },
      origin,
    },
  };
}
