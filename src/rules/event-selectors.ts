import { canonicalJson, type EventDataOf, type OtherValues, type Selector } from '../contracts/index.js';
import { tokenRef } from './token-keys.js';
import { expandSelector } from './selector.js';

const RULE_EVENT_NAMES = [
  'session.ended',
  'token.revoked',
  'user.disabled',
  'client.disabled',
  'connection.deleted',
  'user.enabled',
  'client.enabled',
  'connection.created',
  'connection.updated',
] as const;

/** Names of the events that order a rule or lift blocks (design, section 4). */
export type RuleEventName = (typeof RULE_EVENT_NAMES)[number];

export type RuleEvent = { [N in RuleEventName]: { readonly name: N; readonly data: EventDataOf[N] } }[RuleEventName];

export const isRuleEvent = (name: string): name is RuleEventName =>
  (RULE_EVENT_NAMES as readonly string[]).includes(name);

/** Says whether the event lifts blocks of its source instead of ordering a rule. */
export const isEnabling = (name: RuleEventName): boolean =>
  name === 'user.enabled' ||
  name === 'client.enabled' ||
  name === 'connection.created' ||
  name === 'connection.updated';

/** The selection of one rule: a selector, and further values of its members. */
export interface Selection {
  readonly selector: Selector;
  readonly or?: OtherValues;
}

/** Returns the selection of an event. Each of its selectors contains the issuer that the source speaks for. */
export function selectionOfEvent(event: RuleEvent): Selection {
  const { selector, or } = namedBy(event);
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
  switch (event.name) {
    case 'connection.deleted':
    case 'connection.created':
    case 'connection.updated': {
      const { iss, tenant, idp_client_id: idpClient, aud, aud_tenant: audTenant, client_id: client } = event.data;
      return canonicalJson([iss, tenant ?? null, idpClient, aud, audTenant ?? null, client]);
    }
    default:
      return undefined;
  }
}

const userOf = ({ iss, tenant, sub }: { iss: string; tenant?: string; sub: string }): NonNullable<Selector['user']> =>
  tenant === undefined ? { iss, sub } : { iss, tenant, sub };

function namedBy(event: RuleEvent): Selection {
  switch (event.name) {
    case 'session.ended': {
      const { iss, sid } = event.data;
      return sid === undefined ? { selector: { user: userOf(event.data) } } : { selector: { session: { iss, sid } } };
    }
    case 'token.revoked':
      return { selector: { token: tokenRef(event.data) } };
    case 'user.disabled':
    case 'user.enabled':
      return { selector: { user: userOf(event.data) } };
    case 'client.disabled':
    case 'client.enabled': {
      const { iss, idp_client_id: idpClient, ras } = event.data;
      return anyOf([
        { iss, client_id: idpClient },
        ...ras.map((client) => ({ iss: client.iss, client_id: client.client_id })),
      ]);
    }
    case 'connection.deleted':
    case 'connection.created':
    case 'connection.updated': {
      const { iss, idp_client_id: idpClient, aud, client_id: client, resource } = event.data;
      // Selects by both ids of the client, so that tokens of sources that state no IdP client id match too.
      const clients = [{ iss, client_id: idpClient }, ...aud.map((ras) => ({ iss: ras, client_id: client }))];
      return anyOf(clients, resource.length > 0 ? resource : aud);
    }
    default:
      return event satisfies never;
  }
}

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
