import {
  isEnabling,
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
  if (isEnabling(event.name)) {
    return { kind: 'subject.enabled', tenant: tenant.id, subject: id, body: { ...encoded, origin } };
  }
  // Without `sid` the event ends all sessions that the user had at its time. A later session stays good, whenever the event arrives.
  const isAllSessions = event.name === 'session.ended' && event.data.sid === undefined;
  // A revoked token or an ended session never comes back, but a disabled subject may be enabled again.
  const effect = event.name === 'session.ended' || event.name === 'token.revoked' ? 'revoke' : 'block';
  return {
    kind: 'rule.ordered',
    tenant: tenant.id,
    subject: id,
    body: {
      id,
      effect,
      ...selection,
      ...encoded,
      ...(isAllSessions ? { before: Math.floor(origin.at / 1000) } : {}),
      reauthenticate: false,
      reason: event.name,
      author: { caller: source.uri },
      origin,
    },
  };
}
