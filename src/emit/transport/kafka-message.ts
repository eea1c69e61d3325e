import {
  CLOUDEVENTS_MEDIA_TYPE,
  JSON_MEDIA_TYPE,
  parseEventType,
  type CloudEvent,
  type EventDataOf,
  type EventName,
} from '../../contracts/index.js';

/** How an event is written. `binary`: attributes as headers and `data` as the value. `structured`: the whole event as the value. */
export type KafkaMode = 'binary' | 'structured';

/** One Kafka record, in the form that kafkajs takes. */
export interface KafkaMessage {
  readonly key: string | null;
  readonly value: Buffer;
  readonly headers: Record<string, string>;
}

/** Writes an event as a Kafka record (CloudEvents Kafka protocol binding 1.0, section 3). */
export function toKafkaMessage(event: CloudEvent, options: { readonly mode: KafkaMode }): KafkaMessage {
  const key = recordKey(event);
  if (options.mode === 'structured') {
    return {
      key,
      value: Buffer.from(JSON.stringify({ ...event, datacontenttype: JSON_MEDIA_TYPE })),
      headers: { 'content-type': `${CLOUDEVENTS_MEDIA_TYPE}; charset=UTF-8` },
    };
  }
  return {
    key,
    value: Buffer.from(JSON.stringify(event.data)),
    headers: {
      ce_specversion: event.specversion,
      ce_type: event.type,
      ce_source: event.source,
      ce_id: event.id,
      ce_time: event.time,
      ...(event.subject === undefined ? {} : { ce_subject: event.subject }),
      'content-type': JSON_MEDIA_TYPE,
    },
  };
}

/**
 * Chooses the record key: the identity of the token or ID-JAG that the event concerns, otherwise its user, session or client. Events about
 * one thing then stay in one partition, in order. null for a type that has no key. The key is advice; Rescind does not rely on it.
 */
export function recordKey(event: CloudEvent): string | null {
  const name = parseEventType(event.type);
  if (name === undefined) return null;
  return KEY_OF[name]?.(event.data as never) ?? null;
}

interface Identity {
  readonly iss?: string | undefined;
  readonly jti?: string | undefined;
  readonly sha256?: string | undefined;
  readonly signing_input_sha256?: string | undefined;
}

const SEPARATOR = '|';
const identityKey = (of: Identity) =>
  of.jti === undefined ? (of.sha256 ?? of.signing_input_sha256) : `${of.iss}${SEPARATOR}${of.jti}`;
const pair = (issuer: string, name: string) => `${issuer}${SEPARATOR}${name}`;

const KEY_OF: { readonly [N in EventName]?: (data: EventDataOf[N]) => string | undefined } = {
  'id-jag.issued': identityKey,
  'id-jag.denied': (data) => pair(data.iss, data.sub ?? data.idp_client_id),
  'token.issued': identityKey,
  'token.denied': ({ id_jag: { sub, ...idJag } }) =>
    identityKey(idJag) ?? (sub === undefined ? undefined : pair(idJag.iss, sub)),
  'token.revoked': identityKey,
  'access.allowed': (data) => identityKey(data.token),
  'access.denied': (data) => identityKey(data.token),
  'access.summary': (data) => identityKey(data.token),
  'session.ended': (data) => pair(data.iss, data.sid ?? data.sub),
  'user.disabled': (data) => pair(data.iss, data.sub),
  'user.enabled': (data) => pair(data.iss, data.sub),
  'client.disabled': (data) => pair(data.iss, data.idp_client_id),
  'client.enabled': (data) => pair(data.iss, data.idp_client_id),
  'connection.created': (data) => pair(data.iss, data.idp_client_id),
  'connection.updated': (data) => pair(data.iss, data.idp_client_id),
  'connection.deleted': (data) => pair(data.iss, data.idp_client_id),
};
