import { randomUUID } from 'node:crypto';
import {
  MAX_EVENT_BYTES,
  MAX_IDENTIFIER_LENGTH,
  RescindError,
  SOURCE_EVENT_NAMES,
  eventType,
  parseEventTime,
  validateEventData,
  type CloudEvent,
  type EventDataOf,
  type SourceEventName,
} from '../contracts/index.js';

/** Attributes and data of one event; see CloudEvents 1.0. */
export interface EventInput<N extends SourceEventName> {
  /** The registered URI of the source. */
  readonly source: string;
  /**
   * Identifies the event within the source; 1 to 512 bytes. Default: a random UUID. Give your own id if the same fact may be reported
   * twice.
   */
  readonly id?: string;
  /** When it happened: a `Date` or an RFC 3339 time. Default: now. */
  readonly time?: Date | string;
  readonly subject?: string;
  readonly data: EventDataOf[N];
}

/**
 * Builds a CloudEvents 1.0 event that Rescind's schema accepts. Throws `RescindError`: `invalid-event` with the member at fault,
 * `secret-in-event` if a member holds a token, `too-large` if the JSON is over 256 KiB. Only Rescind knows whether the source may say this.
 *
 * @example buildEvent('session.ended', { source: 'https://idp.example', data: { iss: 'https://idp.example', sid: 's1', sub: 'u1' } })
 */
export function buildEvent<N extends SourceEventName>(name: N, input: EventInput<N>): CloudEvent<N> {
  return writeEvent(name, input).event;
}

/** An event with its JSON. */
export interface WrittenEvent<N extends SourceEventName> {
  readonly event: CloudEvent<N>;
  /** The event's JSON, as it is sent. */
  readonly text: string;
  /** Size of the JSON in UTF-8. */
  readonly bytes: number;
}

/** Builds an event as `buildEvent` does, and also returns the JSON by which its size was measured. */
export function writeEvent<N extends SourceEventName>(name: N, input: EventInput<N>): WrittenEvent<N> {
  if (!SOURCE_EVENT_NAMES.includes(name)) throw invalid('not the name of an event that a source may send');
  const time = input.time instanceof Date ? isoTime(input.time) : (input.time ?? new Date().toISOString());
  const event: CloudEvent<N> = {
    specversion: '1.0',
    type: eventType(name),
    source: input.source,
    id: input.id ?? randomUUID(),
    time,
    ...(input.subject === undefined ? {} : { subject: input.subject }),
    data: withoutUndefined(input.data) as EventDataOf[N],
  };
  checkAttribute('source', event.source);
  checkAttribute('id', event.id);
  if (event.subject !== undefined) checkAttribute('subject', event.subject);
  if (parseEventTime(event.time) === undefined) throw invalid('`time` must be an RFC 3339 time');
  const problem = validateEventData(name, event.data);
  if (problem !== undefined) throw invalid(`${name}: ${problem.message}`);
  checkTexts(event, '');
  const text = JSON.stringify(event);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_EVENT_BYTES)
    throw new RescindError('too-large', { detail: `an event is at most ${MAX_EVENT_BYTES} bytes` });
  return { event, text, bytes };
}

const invalid = (detail: string) => new RescindError('invalid-event', { detail });

function isoTime(date: Date): string {
  if (Number.isNaN(date.getTime())) throw invalid('`time` must be a valid date');
  return date.toISOString();
}

/** Throws `invalid-event` unless `value` is a string of 1 to 512 bytes. */
export function checkAttribute(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw invalid(`\`${name}\` must be a string that is not empty`);
  if (Buffer.byteLength(value) > MAX_IDENTIFIER_LENGTH)
    throw invalid(`\`${name}\` is over ${MAX_IDENTIFIER_LENGTH} bytes`);
}

// Drops undefined members. Serialization leaves them out, so they must not be refused as members of a wrong type.
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutUndefined(inner)]));
}

// A compact JWS starts with the base64url of `{"`. Rescind would refuse the event; the check here keeps the token inside the producer's
// process.
const COMPACT_JWS = /eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*/;

function checkTexts(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) throw invalid(`${path} holds a NUL or a lone surrogate`);
    if (COMPACT_JWS.test(value))
      throw new RescindError('secret-in-event', { detail: `${path} holds a token; send its identity` });
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) checkTexts(inner, `${path}/${name}`);
  }
}
