import {
  canonicalJson,
  claimsBytes,
  CLOUDEVENTS_HEADER_PREFIX,
  CLOUDEVENTS_MEDIA_TYPE,
  decodeBase64,
  isJsonMediaType,
  isOtherVersion,
  isOwnEventName,
  JSON_MEDIA_TYPE,
  knownData,
  MAX_EVENT_BYTES,
  parseEventTime,
  parseEventType,
  REJECT_CODES,
  RescindError,
  SECURITY_EVENT_MEDIA_TYPE,
  setEnvelope,
  SIGNED_BATCH_MEDIA_TYPE,
  signedAttributes,
  validateEventData,
  withOwnAudience,
  type CloudEvent,
  type RejectCode,
  type SourceEventName,
  type TokenIssued,
} from '../../contracts/index.js';
import type { Caller, ControlState, Source } from '../../control/index.js';
import type { ArrivalMode, StoredPayload } from '../../log/index.js';
import { parseStrictJson } from '../../platform/http/index.js';
import { checkSignature, MAX_AHEAD_MS, type CheckedSignature } from './check-signature.js';
import { checkSourceRights } from './source-rights.js';
import { checkStrings, checkUnread } from './strings.js';

const MIN_TIME_MS = Date.UTC(2000, 0, 1);
const MAX_TIME_MS = Date.UTC(2100, 0, 1);

/** An event's bytes as they came through one of the two doors. */
export interface Arrived {
  readonly mode: Exclude<ArrivalMode, 'own'>;
  /** Names in lower case. If a record repeats a header, the header stands here twice. */
  readonly headers: readonly (readonly [name: string, value: Buffer])[];
  readonly bytes: Buffer;
  readonly door:
    | { readonly kind: 'kafka'; readonly topic: string }
    | { readonly kind: 'http'; readonly caller: Caller };
  /** Set once the signature over the event was looked at. Without it a signed event is refused. */
  readonly signature?: CheckedSignature | undefined;
}

export interface Accepted {
  readonly accepted: true;
  readonly name: SourceEventName;
  /** Its `data` holds the members that this release reads. The other members stay in the payload. */
  readonly event: CloudEvent<SourceEventName>;
  readonly timeMs: number;
  /** Time of the decision, by the clock of this process. */
  readonly arrivedMs: number;
  readonly source: Source;
  /** Attributes that the commitment covers (wire.md, "Entry"). */
  readonly attributes: readonly (readonly [name: string, value: Buffer])[];
  readonly arrived: Arrived;
}

export interface Rejected {
  readonly accepted: false;
  readonly code: RejectCode;
  /** Text for people: which member, which limit. Never contains the event's bytes. */
  readonly detail: string;
  /** The source whose tenant's quarantine keeps the event. Undefined if no registered source can be held responsible. */
  readonly source: Source | undefined;
  readonly arrived: Arrived;
}

/**
 * Decides whether one event is accepted. Checks its shape, the source's right to say it, the time bounds, and everything that PostgreSQL
 * would refuse later. Pure: the state, the time of arrival and the outcome of the signature's check are arguments. The appender finds duplicates.
 */
export function accept(arrived: Arrived, state: ControlState, nowMs: number): Accepted | Rejected {
  let source = sourceOfTopic(arrived, state);
  try {
    checkSize(arrived);
    const { attributes, envelope, unread } = readEnvelope(arrived);
    source = findSource(envelope['source'], arrived, state);
    const isSigned = checkSignature(arrived, source, nowMs);
    const { name, event: read, timeMs, said } = checkEvent(envelope, nowMs);
    checkStrings(read.data);
    if (said !== read.data) checkUnread(said);
    checkUnread(unread);
    const event = name === 'token.issued' ? { ...read, data: withOwnAudience(read.data as TokenIssued, source) } : read;
    checkSourceRights(
      name,
      event.data,
      source,
      !isSigned && arrived.door.kind === 'kafka' && state.sourcesOfTopic(source.topic).length > 1,
    );
    checkIssueTime(event.data, nowMs);
    return { accepted: true, name, event, timeMs, arrivedMs: nowMs, source, attributes, arrived };
  } catch (error) {
    if (!(error instanceof RescindError) || !(error.code in REJECT_CODES)) throw error;
    return {
      accepted: false,
      code: error.code as RejectCode,
      detail: error.detail ?? REJECT_CODES[error.code as RejectCode],
      source,
      arrived,
    };
  }
}

/**
 * Writes the content of an event that was accepted, from its payload as it came or as it is stored: the RFC 8785 form of {type, source, id, time,
 * subject, data}, with the time normalised and `data` including the members that nobody reads. One event has one content in every mode and spelling.
 */
export function contentOf(payload: StoredPayload): string {
  const { type, source, id, time, subject, data } = readEnvelope(payload).envelope;
  const timeMs = parseEventTime(time as string)!;
  return canonicalJson({ type, source, id, time: new Date(timeMs).toISOString(), subject, data });
}

function checkSize({ headers, bytes }: Arrived): void {
  const size = headers.reduce((sum, [name, value]) => sum + name.length + value.length, bytes.length);
  if (size > MAX_EVENT_BYTES)
    throw new RescindError('too-large', { detail: `${size} bytes, at most ${MAX_EVENT_BYTES}` });
}

interface Envelope {
  readonly attributes: readonly (readonly [string, Buffer])[];
  readonly envelope: Readonly<Record<string, unknown>>;
  /** Members beside the envelope, which nobody reads: the claims of a SET. */
  readonly unread?: unknown;
}

function readEnvelope(arrived: StoredPayload): Envelope {
  const contentTypes = arrived.headers.filter(([name]) => name === 'content-type');
  if (contentTypes.length > 1) throw new RescindError('repeated-header', { detail: 'content-type' });
  if (arrived.mode === 'binary') return readBinary(arrived, contentTypes[0]);
  if (arrived.mode === 'set') return { attributes: contentTypes, ...readSet(arrived.bytes) };
  const attributes = arrived.mode === 'batch' ? [...contentTypes, ...signedAttributes(arrived.headers)] : contentTypes;
  const envelope = parseStrictJson(arrived.bytes);
  if (!isRecord(envelope)) throw new RescindError('invalid-envelope', { detail: 'an event must be a JSON object' });
  return { attributes, envelope: decodeData(withoutUnset(envelope)) };
}

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Reads a SET as an envelope. The signature is not looked at. */
function readSet(bytes: Buffer): Omit<Envelope, 'attributes'> {
  const text = bytes.toString('latin1');
  if (!COMPACT_JWS.test(text))
    throw new RescindError('signature-invalid', { detail: 'a SET must be a JWS in compact serialization' });
  const claims = parseStrictJson(claimsBytes(text));
  const envelope = setEnvelope(claims);
  const { events: _, ...unread } = claims as Record<string, unknown>;
  return { envelope, unread };
}

/** Removes attributes that are null, which counts as unset (CloudEvents JSON format, section 2.2). */
function withoutUnset(envelope: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isUnset = (name: string): boolean => envelope[name] === null && name !== 'data';
  const names = Object.keys(envelope);
  return names.some(isUnset)
    ? Object.fromEntries(names.filter((name) => !isUnset(name)).map((name) => [name, envelope[name]]))
    : envelope;
}

/**
 * Decodes `data_base64`, which stands in place of `data`, never beside it (CloudEvents JSON format, section 3.1.2). The text must be padded
 * standard base64, because a lenient decoder would take two texts for one event. The bytes must be JSON.
 */
function decodeData(whole: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!Object.hasOwn(whole, 'data_base64')) return whole;
  const { data_base64: encoded, ...envelope } = whole;
  if (Object.hasOwn(envelope, 'data'))
    throw new RescindError('invalid-envelope', { detail: 'an event has `data` or `data_base64`, not both' });
  const bytes = typeof encoded === 'string' ? decodeBase64(encoded) : undefined;
  if (bytes === undefined)
    throw new RescindError('invalid-envelope', {
      detail: '`data_base64` must be a string in padded standard base64 (RFC 4648, section 4)',
    });
  return { ...envelope, data: parseStrictJson(bytes) };
}

/** Reads binary mode (CloudEvents Kafka and HTTP bindings): each attribute is a header `ce_<name>`, and the value is the data. */
function readBinary(arrived: StoredPayload, contentType: readonly [string, Buffer] | undefined): Envelope {
  const attributes = arrived.headers.filter(
    ([name]) => name === 'content-type' || name.startsWith(CLOUDEVENTS_HEADER_PREFIX),
  );
  if (attributes.length === 0 || (attributes.length === 1 && contentType))
    throw new RescindError('invalid-envelope', { detail: NO_MODE });
  const envelope: Record<string, unknown> = {};
  for (const [name, value] of attributes) {
    if (name === 'content-type') continue;
    const attribute = name.slice(CLOUDEVENTS_HEADER_PREFIX.length);
    if (Object.hasOwn(envelope, attribute)) throw new RescindError('repeated-header', { detail: name.slice(0, 64) });
    envelope[attribute] = decodeHeader(name, value);
  }
  checkIdentifier(envelope, 'id');
  checkIdentifier(envelope, 'source');
  const mediaType = contentType?.[1].toString('utf8') ?? JSON_MEDIA_TYPE;
  if (!isJsonMediaType(mediaType)) throw new RescindError('unsupported-media-type', { detail: DATA_IS_JSON });
  if (arrived.bytes.length === 0) throw new RescindError('invalid-data', { detail: 'the record has no value' });
  envelope['data'] = parseStrictJson(arrived.bytes);
  return { attributes, envelope };
}

const DATA_IS_JSON = 'the data of an event must be JSON: application/json, or a media type that ends in +json';
const NO_MODE = `the record has neither \`ce_\` headers (binary mode) nor the content type ${CLOUDEVENTS_MEDIA_TYPE} (structured mode): send one of the two`;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeHeader(name: string, value: Buffer): string {
  if (isPlainAscii(value)) return value.toString('latin1');
  let text: string;
  try {
    text = utf8.decode(value);
  } catch {
    throw new RescindError('invalid-utf8', { detail: `header ${name.slice(0, 64)}` });
  }
  if (text.includes('\0')) throw new RescindError('nul', { detail: `header ${name.slice(0, 64)}` });
  return text;
}

/** Whether the bytes are ASCII without NUL. Nearly every header is, and decoding such a header costs a third. */
function isPlainAscii(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at]! > 0x7f || bytes[at] === 0) return false;
  return true;
}

/** Finds the only source of a topic. It is known before anything is read, because the broker's ACL says who may write there. */
function sourceOfTopic({ door }: Arrived, state: ControlState): Source | undefined {
  const sources = door.kind === 'kafka' ? state.sourcesOfTopic(door.topic) : [];
  return sources.length === 1 ? sources[0] : undefined;
}

/**
 * Finds the source that an event names, and checks that it may come through this door. Throws `unknown-source`, `wrong-topic` or
 * `source-not-allowed`.
 */
export function findSource(uri: unknown, { door }: Pick<Arrived, 'door'>, state: ControlState): Source {
  if (typeof uri !== 'string' || uri === '')
    throw new RescindError('invalid-envelope', { detail: '`source` is missing' });
  const source = state.sourceByUri(uri);
  const isOnItsTopic = door.kind === 'kafka' && source?.topic === door.topic;
  // A source of another tenant gets the same answer as an unregistered source, so that no answer reveals what other tenants have.
  const isOfTenant = isOnItsTopic || source?.tenant === tenantOf(door, state);
  if (!source || source.disabled || !isOfTenant) throw new RescindError('unknown-source');
  // The broker's ACL ties a topic to its writer, so the topic, not the record, identifies the source (design, section 3).
  if (door.kind === 'kafka' && !isOnItsTopic) throw new RescindError('wrong-topic');
  if (door.kind === 'http' && !door.caller.roles.emit?.sources.includes(source.name))
    throw new RescindError('source-not-allowed');
  return source;
}

/** Returns the tenant; undefined if no source has the topic. */
const tenantOf = (door: Arrived['door'], state: ControlState): string | undefined =>
  door.kind === 'http' ? door.caller.tenant : state.sourcesOfTopic(door.topic)[0]?.tenant;

function checkEvent(
  envelope: Readonly<Record<string, unknown>>,
  nowMs: number,
): { name: SourceEventName; event: CloudEvent<SourceEventName>; timeMs: number; said: unknown } {
  if (envelope['specversion'] !== '1.0')
    throw new RescindError('invalid-envelope', { detail: '`specversion` must be "1.0"' });
  const id = checkIdentifier(envelope, 'id');
  const source = checkIdentifier(envelope, 'source');
  const type = checkIdentifier(envelope, 'type');
  const subject = envelope['subject'] === undefined ? undefined : checkIdentifier(envelope, 'subject');
  const timeMs = checkTime(envelope['time'], nowMs);
  const name = parseEventType(type);
  if (name === undefined) throw new RescindError(isOtherVersion(type) ? 'unsupported-version' : 'unknown-type');
  if (isOwnEventName(name))
    throw new RescindError('type-not-allowed', { detail: 'only Rescind itself sends events of this type' });
  const mediaType = envelope['datacontenttype'];
  if (mediaType !== undefined && !(typeof mediaType === 'string' && isJsonMediaType(mediaType))) {
    throw new RescindError('invalid-envelope', { detail: `\`datacontenttype\`: ${DATA_IS_JSON}` });
  }
  for (const [attribute, value] of Object.entries(envelope)) if (attribute !== 'data') checkStrings(value, attribute);
  const said = envelope['data'];
  const known = knownData(name, said);
  const problem = validateEventData(name, known);
  if (problem)
    throw new RescindError(problem.code, {
      detail: problem.message.startsWith('/') ? `data${problem.message}` : problem.message,
    });
  const data = known as CloudEvent<SourceEventName>['data'];
  return {
    name,
    timeMs,
    said,
    event: {
      specversion: '1.0',
      type,
      source,
      id,
      time: envelope['time'] as string,
      ...(subject === undefined ? {} : { subject }),
      data,
    },
  };
}

const MAX_IDENTIFIER_BYTES = 512;

function checkIdentifier(envelope: Readonly<Record<string, unknown>>, name: string): string {
  const value = envelope[name];
  if (typeof value !== 'string' || value === '')
    throw new RescindError('invalid-envelope', { detail: `\`${name}\` must be a non-empty string` });
  if (Buffer.byteLength(value) > MAX_IDENTIFIER_BYTES)
    throw new RescindError('identifier-too-long', { detail: `\`${name}\`` });
  return value;
}

function checkTime(time: unknown, nowMs: number): number {
  const timeMs = typeof time === 'string' ? parseEventTime(time) : undefined;
  if (timeMs === undefined) throw new RescindError('invalid-envelope', { detail: '`time` must be an RFC 3339 time' });
  if (timeMs < MIN_TIME_MS || timeMs >= MAX_TIME_MS) throw new RescindError('time-out-of-range', { detail: '`time`' });
  if (timeMs > nowMs + MAX_AHEAD_MS) throw new RescindError('time-in-future', { detail: '`time`' });
  return timeMs;
}

/** Refuses issue times in the future. Only `exp` and `until` may lie ahead (wire.md). The schema keeps every time between 2000 and 2100. */
function checkIssueTime(data: object, nowMs: number, path = 'data'): void {
  for (const member of ['iat', 'auth_time', 'from', 'to']) {
    const value = (data as Record<string, unknown>)[member];
    if (typeof value === 'number' && value * 1000 > nowMs + MAX_AHEAD_MS)
      throw new RescindError('time-in-future', { detail: `${path}/${member}` });
  }
  if ('id_jag' in data && isRecord(data.id_jag)) checkIssueTime(data.id_jag, nowMs, `${path}/id_jag`);
}

/** Compares media types. Case and parameters do not matter (RFC 9110, section 8.3.1). */
export function isMediaType(value: string, wanted: string): boolean {
  return value.split(';', 1)[0]!.trim().toLowerCase() === wanted;
}

/**
 * Tells the mode: structured if the content type begins with `application/cloudevents`, binary otherwise (CloudEvents Kafka binding,
 * section 3), unless it is that of a SET or of a signed batch.
 */
export function kafkaMode(headers: Arrived['headers']): 'binary' | 'structured' | 'set' | 'batch' {
  const contentType = headers.find(([name]) => name === 'content-type')?.[1].toString('utf8') ?? '';
  if (isMediaType(contentType, SECURITY_EVENT_MEDIA_TYPE)) return 'set';
  if (isMediaType(contentType, SIGNED_BATCH_MEDIA_TYPE)) return 'batch';
  if (!contentType.trim().toLowerCase().startsWith('application/cloudevents')) return 'binary';
  if (!isMediaType(contentType, CLOUDEVENTS_MEDIA_TYPE))
    throw new RescindError('unsupported-media-type', {
      detail: 'the content type of structured mode must be application/cloudevents+json',
    });
  return 'structured';
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
