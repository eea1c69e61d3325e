import {
  CLOUDEVENTS_HEADER_PREFIX,
  CLOUDEVENTS_BATCH_MEDIA_TYPE,
  CLOUDEVENTS_MEDIA_TYPE,
  isJsonMediaType,
  JSON_MEDIA_TYPE,
  NDJSON_MEDIA_TYPE,
  SECURITY_EVENT_MEDIA_TYPE,
  SIGNED_BATCH_MEDIA_TYPE,
} from '../../contracts/index.js';
import { isMediaType, type Arrived } from './accept.js';

/** Prefix of attributes in binary mode (CloudEvents HTTP binding, section 3.1.3.1). */
const HTTP_PREFIX = 'ce-';

const WHOLE_EVENTS = [
  CLOUDEVENTS_MEDIA_TYPE,
  CLOUDEVENTS_BATCH_MEDIA_TYPE,
  NDJSON_MEDIA_TYPE,
  JSON_MEDIA_TYPE,
  SECURITY_EVENT_MEDIA_TYPE,
  SIGNED_BATCH_MEDIA_TYPE,
];

/**
 * Says why `POST /events` cannot read a body of this content type, or undefined if it can. Binary mode needs `ce-` headers and data in
 * JSON; without these headers the body must hold whole events.
 */
export function mediaTypeProblem(
  contentType: string | undefined,
  headers: Readonly<Record<string, unknown>>,
): string | undefined {
  const type = contentType ?? '';
  if (WHOLE_EVENTS.some((one) => isMediaType(type, one))) return undefined;
  const isBinary = Object.keys(headers).some((name) => name.startsWith(HTTP_PREFIX));
  if (isBinary)
    return isJsonMediaType(type)
      ? undefined
      : `binary mode (\`ce-\` headers) needs the content type of its data, which must be JSON, such as ${JSON_MEDIA_TYPE}`;
  return `the request has neither \`ce-\` headers (binary mode) nor a content type that carries events: send one of ${WHOLE_EVENTS.join(', ')}`;
}

/**
 * Returns the attributes of a request in binary mode under the names that Kafka gives them (`ce_<name>`, and `content-type`). Values are
 * unquoted and decoded once (HTTP binding, section 3.1.3.2), so that both doors commit to the same bytes. A repeated header stands twice.
 * Undefined if the request is not in binary mode: its content type belongs to CloudEvents, or no header begins with `ce-`.
 *
 * @param rawHeaders names and values in turn, as `node:http` gives them
 */
export function readBinaryHeaders(rawHeaders: readonly string[]): Arrived['headers'] | undefined {
  const attributes: (readonly [string, Buffer])[] = [];
  let isBinary = false;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    const value = rawHeaders[at + 1]!;
    if (name === 'content-type') {
      if (value.trim().toLowerCase().startsWith('application/cloudevents')) return undefined;
      attributes.push([name, Buffer.from(value, 'latin1')]);
    } else if (name.startsWith(HTTP_PREFIX)) {
      isBinary = true;
      attributes.push([`${CLOUDEVENTS_HEADER_PREFIX}${name.slice(HTTP_PREFIX.length)}`, decodeValue(value)]);
    }
  }
  return isBinary ? attributes : undefined;
}

const QUOTED = /^"((?:[^"\\]|\\.)*)"$/s;

/** Decodes a header's value. A percent sign that begins no escape stays. The bytes may be invalid UTF-8, which `accept` refuses. */
function decodeValue(value: string): Buffer {
  const text = QUOTED.exec(value)?.[1]?.replace(/\\(.)/gs, '$1') ?? value;
  return Buffer.from(
    text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}
