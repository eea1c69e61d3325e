import { canonicalJson, type EventDataOf } from '../contracts/index.js';
import { tokenRef } from './token-keys.js';
import type { Selector } from './selector.js';

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

/** The events of a source that stop or allow something (design, section 4). */
export type RuleEventName = (typeof RULE_EVENT_NAMES)[number];

export type RuleEvent = { [N in RuleEventName]: { readonly name: N; readonly data: EventDataOf[N] } }[RuleEventName];

export const isRuleEvent = (name: string): name is RuleEventName => (RULE_EVENT_NAMES as readonly string[]).includes(name);

/** Whether it ends blocks of its source, instead of ordering a rule. */
export const isEnabling = (name: RuleEventName): boolean =>
  name === 'user.enabled' || name === 'client.enabled' || name === 'connection.created' || name === 'connection.updated';

/** What the event names, a selector a rule; each has the issuer that its source speaks for. */
export const selectorsOfEvent = (event: RuleEvent): readonly Selector[] => namedBy(event).map((selector) => ({ ...selector, issuer: event.data.iss }));

/** Two connections may share their selectors and differ in a tenant: one's creation must not lift the other's block. */
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

function namedBy(event: RuleEvent): Selector[] {
  switch (event.name) {
    case 'session.ended':
      return [{ session: { iss: event.data.iss, sid: event.data.sid } }];
    case 'token.revoked':
      return [{ token: tokenRef(event.data) }];
    case 'user.disabled':
    case 'user.enabled': {
      const { iss, tenant, sub } = event.data;
      return [{ user: tenant === undefined ? { iss, sub } : { iss, tenant, sub } }];
    }
    case 'client.disabled':
    case 'client.enabled':
      return [
        { client: { iss: event.data.iss, client_id: event.data.idp_client_id } },
        ...event.data.ras.map((client) => ({ client: { iss: client.iss, client_id: client.client_id } })),
      ];
    case 'connection.deleted':
    case 'connection.created':
    case 'connection.updated':
      return connectionSelectors(event.data);
    default:
      return event satisfies never;
  }
}

/** By either of the client's ids, so that it reaches tokens of sources that state no IdP client id. */
function connectionSelectors(data: EventDataOf['connection.deleted']): Selector[] {
  const resources = data.resource.length > 0 ? data.resource : data.aud;
  return resources.flatMap((resource) => [
    { client: { iss: data.iss, client_id: data.idp_client_id }, resource },
    ...data.aud.map((ras) => ({ client: { iss: ras, client_id: data.client_id }, resource })),
  ]);
}
