import {
  CLOUDEVENTS_MEDIA_TYPE,
  JSON_MEDIA_TYPE,
  parseEventType,
  recordKeyOf,
  type CloudEvent,
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
  return name === undefined ? null : (recordKeyOf(name, event.data) ?? null);
}
