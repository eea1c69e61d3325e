import {
  canonicalJson,
  ruleEffectOf,
  SOURCE_EVENT_NAMES,
  type EventDataOf,
  type OtherValues,
  type RuleEffect,
  type RuleEventName,
  type Selector,
} from '../contracts/index.js';
import { tokenRef } from './token-keys.js';
import { expandSelector } from './selector.js';

export type RuleEvent = { [N in RuleEventName]: { readonly name: N; readonly data: EventDataOf[N] } }[RuleEventName];

const RULE_EVENTS: ReadonlySet<string> = new Set(SOURCE_EVENT_NAMES.filter((name) => ruleEffectOf(name) !== undefined));

/** Says whether the event orders a rule or lifts blocks (design, section 4). */
export const isRuleEvent = (name: string): name is RuleEventName => RULE_EVENTS.has(name);

/** Says whether the event lifts blocks of its source instead of ordering a rule. */
export const isEnabling = (name: RuleEventName): boolean => ruleEffectOf(name).does === 'lift';

/** The selection of one rule: a selector, and further values of its members. */
export interface Selection {
  readonly selector: Selector;
  readonly or?: OtherValues;
}

/** Returns the selection of an event. Each of its selectors contains the issuer that the source speaks for. */
export function selectionOfEvent(event: RuleEvent): Selection {
  const select = SELECTION[ruleEffectOf(event.name).names] as (data: RuleEvent['data']) => Selection;
  const { selector, or } = select(event.data);
  return { selector: { ...selector, issuer: event.data.iss }, ...(or ? { or } : {}) };
}

/** Lists every selector of {@link selectionOfEvent}. */
export function selectorsOfEvent(event: RuleEvent): readonly Selector[] {
  const { selector, or } = selectionOfEvent(event);
  return expandSelector(selector, or);
}

/**
 * Identifies the connection that an event is about; undefined for other events. Two connections may have the same selectors and
 * differ only in a tenant, and the creation of one must not lift the block of the other.
 */
export function subjectOfEvent(event: RuleEvent): string | undefined {
  if (ruleEffectOf(event.name).names !== 'connection') return undefined;
  const data = event.data as DataNaming<'connection'>;
  const { iss, tenant, idp_client_id: idpClient, aud, aud_tenant: audTenant, client_id: client } = data;
  return canonicalJson([iss, tenant ?? null, idpClient, aud, audTenant ?? null, client]);
}

const userOf = ({ iss, tenant, sub }: { iss: string; tenant?: string; sub: string }): NonNullable<Selector['user']> =>
  tenant === undefined ? { iss, sub } : { iss, tenant, sub };

type DataNaming<S extends RuleEffect['names']> = EventDataOf[RuleEventName<S>];

/** Makes the selection of an event, by what its declaration says that it names. */
const SELECTION: { readonly [S in RuleEffect['names']]: (data: DataNaming<S>) => Selection } = {
  session: (data) => {
    const { iss, sid } = data;
    return { selector: sid === undefined ? { user: userOf(data) } : { session: { iss, sid } } };
  },
  token: (data) => ({ selector: { token: tokenRef(data) } }),
  user: (data) => ({ selector: { user: userOf(data) } }),
  client: ({ iss, idp_client_id: idpClient, ras }) =>
    anyOf([{ iss, client_id: idpClient }, ...ras.map((client) => ({ iss: client.iss, client_id: client.client_id }))]),
  connection: ({ iss, idp_client_id: idpClient, aud, client_id: client, resource }) => {
    // Selects by both ids of the client, so that tokens of sources that state no IdP client id match too.
    const clients = [{ iss, client_id: idpClient }, ...aud.map((ras) => ({ iss: ras, client_id: client }))];
    return anyOf(clients, resource.length > 0 ? resource : aud);
  },
};

/** Selects the client by any of these names and, if resources are given, at any of them. Duplicates are dropped. */
function anyOf(clients: readonly NonNullable<Selector['client']>[], resources: readonly string[] = []): Selection {
  const [client, ...otherClients] = [
    ...new Map(clients.map((one) => [JSON.stringify([one.iss, one.client_id]), one])).values(),
  ];
  const [resource, ...otherResources] = [...new Set(resources)];
  const or: OtherValues = {
    ...(otherClients.length > 0 ? { client: otherClients } : {}),
    ...(otherResources.length > 0 ? { resource: otherResources } : {}),
  };
  const selector: Selector = resource === undefined ? { client: client! } : { client: client!, resource };
  return Object.keys(or).length > 0 ? { selector, or } : { selector };
}
