import { canonicalJson, MAX_TIME_SECONDS, type EventDataOf, type SourceEventName } from '../contracts/index.js';
import { selectorKey, tokenRef, type Selector } from '../rules/index.js';
import type { Command } from './control-log.pg.js';
import type { NewControlRecord, RuleOrigin } from './records.js';

/** The events of a source that stop or allow something (design, section 4). */
export type RuleEventName =
  | 'session.ended'
  | 'token.revoked'
  | 'user.disabled'
  | 'client.disabled'
  | 'connection.deleted'
  | 'user.enabled'
  | 'client.enabled'
  | 'connection.created'
  | 'connection.updated';

const RULE_EVENT_NAMES: ReadonlySet<string> = new Set<RuleEventName>([
  'session.ended',
  'token.revoked',
  'user.disabled',
  'client.disabled',
  'connection.deleted',
  'user.enabled',
  'client.enabled',
  'connection.created',
  'connection.updated',
]);

export const isRuleEvent = (name: SourceEventName): name is RuleEventName => RULE_EVENT_NAMES.has(name);

type RuleEvent = { [N in RuleEventName]: { readonly name: N; readonly data: EventDataOf[N] } }[RuleEventName];

export interface EventToRule {
  readonly tenant: { readonly id: string; readonly key: Uint8Array };
  /** Id and URI of the source. */
  readonly source: { readonly id: string; readonly uri: string };
  readonly event: RuleEvent & { readonly id: string; readonly timeMs: number };
  /** RFC 8785 form of the event: another content under the same id orders nothing. */
  readonly content: string;
  readonly newId: () => string;
}

/** The command an event amounts to; its key makes it apply once, however often the event arrives. */
export function commandFromEvent(input: EventToRule): Command {
  const { tenant, source, event, content } = input;
  const origin: RuleOrigin = { source: source.id, event: event.id, at: event.timeMs, ...subjectOf(event) };
  const selectors = selectorsOf(event).map((selector): Selector => ({ ...selector, issuer: event.data.iss }));
  return {
    records: selectors.map((selector) => recordFor(input, selector, origin)),
    once: { key: ['event', tenant.id, source.id, event.id], content },
  };
}

function recordFor({ tenant, source, event, newId }: EventToRule, selector: Selector, origin: RuleOrigin): NewControlRecord {
  const { shape, key } = selectorKey(tenant.key, selector);
  const encoded = { shape, key: Buffer.from(key, 'latin1').toString('base64url') };
  const id = newId();
  if (isEnabling(event.name)) {
    return { kind: 'subject.enabled', tenant: tenant.id, subject: id, body: { ...encoded, origin } };
  }
  // A revoked token and an ended session do not come back, whatever a clock says of the time they were granted; what is
  // disabled may be enabled again.
  const isFinal = event.name === 'session.ended' || event.name === 'token.revoked';
  const effect = isFinal ? ({ effect: 'revoke', before: MAX_TIME_SECONDS } as const) : ({ effect: 'block' } as const);
  return {
    kind: 'rule.ordered',
    tenant: tenant.id,
    subject: id,
    body: { id, ...effect, selector, ...encoded, reauthenticate: false, reason: event.name, author: { caller: source.uri }, origin },
  };
}

const isEnabling = (name: RuleEventName): boolean =>
  name === 'user.enabled' || name === 'client.enabled' || name === 'connection.created' || name === 'connection.updated';

/** Two connections may share their selectors and differ in a tenant: one's creation must not lift the other's block. */
function subjectOf(event: RuleEvent): { readonly subject?: string } {
  switch (event.name) {
    case 'connection.deleted':
    case 'connection.created':
    case 'connection.updated': {
      const { iss, tenant, idp_client_id: idpClient, aud, aud_tenant: audTenant, client_id: client } = event.data;
      return { subject: canonicalJson([iss, tenant ?? null, idpClient, aud, audTenant ?? null, client]) };
    }
    default:
      return {};
  }
}

/** What the event names, without the source's issuer, which is in every selector. */
function selectorsOf(event: RuleEvent): Selector[] {
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
