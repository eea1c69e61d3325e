import type { Static } from 'typebox';
import { ACCESS_EVENTS } from './access-events.js';
import type { Bound, Party, RuleEffect } from './declaration.js';
import { ID_JAG_EVENTS } from './id-jag-events.js';
import { LIFECYCLE_EVENTS } from './lifecycle-events.js';
import { OWN_EVENTS } from './own-events.js';
import { TOKEN_EVENTS } from './token-events.js';

/** Every event type. Everything else that lists event types derives from these declarations. */
export const EVENTS = { ...ID_JAG_EVENTS, ...TOKEN_EVENTS, ...ACCESS_EVENTS, ...LIFECYCLE_EVENTS, ...OWN_EVENTS };
type Events = typeof EVENTS;

export type EventName = keyof Events;
export type OwnEventName = keyof typeof OWN_EVENTS;
export type SourceEventName = Exclude<EventName, OwnEventName>;

/** Type of each event's `data`. */
export type EventDataOf = { [N in EventName]: Static<Events[N]['data']> };

/** Names of the events that these parties say. */
export type SaidBy<P extends Party> = {
  [N in SourceEventName]: Events[N]['speaker'] extends P ? N : never;
}[SourceEventName];

type EffectOf<N extends SourceEventName> = NonNullable<Events[N]['rule']>;
/** Names of the events that order a rule or lift blocks, by what they name. */
export type RuleEventName<S extends RuleEffect['names'] = RuleEffect['names']> = {
  [N in SourceEventName]: EffectOf<N> extends never ? never : EffectOf<N>['names'] extends S ? N : never;
}[SourceEventName];

export const EVENT_NAMES = Object.keys(EVENTS) as readonly EventName[];
export const OWN_EVENT_NAMES = Object.keys(OWN_EVENTS) as readonly OwnEventName[];
export const SOURCE_EVENT_NAMES: readonly SourceEventName[] = EVENT_NAMES.filter((name) => !isOwnEventName(name));

/** Lists the events that these parties say. */
export const eventsSaidBy = (...parties: readonly Party[]): readonly SourceEventName[] =>
  SOURCE_EVENT_NAMES.filter((name) => parties.includes(EVENTS[name].speaker));

/** Lists the events whose source must be registered for issuers, or for resources. */
export const eventsBoundBy = (bound: Bound): readonly SourceEventName[] =>
  SOURCE_EVENT_NAMES.filter((name) => EVENTS[name].bounds.includes(bound));

/** Says what an event does to rules; undefined if it does nothing to them. */
export function ruleEffectOf(name: RuleEventName): RuleEffect;
export function ruleEffectOf(name: SourceEventName): RuleEffect | undefined;
export function ruleEffectOf(name: SourceEventName): RuleEffect | undefined {
  return EVENTS[name].rule;
}

/** Lists the events that order a rule on one of these or lift its blocks. */
export function eventsNaming<S extends RuleEffect['names']>(...subjects: readonly S[]): readonly RuleEventName<S>[] {
  const names = SOURCE_EVENT_NAMES.filter((name) => subjects.some((one) => one === ruleEffectOf(name)?.names));
  return names as readonly SourceEventName[] as readonly RuleEventName<S>[];
}

/** Computes the key of an event's Kafka record; undefined for an event that has none. */
export function recordKeyOf(name: EventName, data: unknown): string | undefined {
  return isOwnEventName(name) ? undefined : EVENTS[name].key(data as never);
}

const TYPE_PREFIX = 'dev.rescind.';
const TYPE_VERSION = '.v1';

/** Builds the CloudEvents `type`: `dev.rescind.<name>.v1`. */
export function eventType<N extends EventName>(name: N): `dev.rescind.${N}.v1` {
  return `${TYPE_PREFIX}${name}${TYPE_VERSION}` as `dev.rescind.${N}.v1`;
}

const NAME_BY_TYPE: ReadonlyMap<string, EventName> = new Map(EVENT_NAMES.map((name) => [eventType(name), name]));

/** Reads the name from a CloudEvents `type`, compared byte for byte. Undefined for an unknown name and for another version. */
export function parseEventType(type: string): EventName | undefined {
  return NAME_BY_TYPE.get(type);
}

const ANY_VERSION = /\.v[1-9][0-9]*$/;

/** Says whether the name is known but the version is not: `unsupported-version` rather than `unknown-type`. */
export function isOtherVersion(type: string): boolean {
  return !NAME_BY_TYPE.has(type) && NAME_BY_TYPE.has(type.replace(ANY_VERSION, TYPE_VERSION));
}

export function isOwnEventName(name: EventName): name is OwnEventName {
  return EVENTS[name].speaker === 'rescind';
}
