import { RescindError } from '../../../contracts/index.js';
import { parseStrictJson } from './strict-json.js';

const JSON_MEDIA_TYPE = 'application/json';

/** Bytes of a command of the management API. The largest command is a source with its inline key set. */
export const MAX_JSON_BODY_BYTES = 256 * 1024;

const mediaTypes = new WeakMap<Uint8Array, string>();

/** Remembers the declared media type of a raw body, so that the reader of the body can insist on it. */
export function rememberMediaType(body: Uint8Array, contentType: string | undefined): void {
  mediaTypes.set(body, (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase());
}

export function mediaTypeOf(body: Uint8Array): string | undefined {
  return mediaTypes.get(body);
}

/**
 * Parses the management API's raw bodies: `@Body(jsonBody) body: unknown`. Takes strict JSON that is declared as JSON. A request without
 * a body, or with an empty one, gives `undefined`. `null` is refused, because a controller must not mistake it for a missing body. The
 * controller validates the value.
 */
export const jsonBody = {
  transform(body: unknown): unknown {
    if (body === undefined || body === null) return undefined;
    if (!(body instanceof Uint8Array) || mediaTypes.get(body) !== JSON_MEDIA_TYPE) {
      throw new RescindError('unsupported-media-type', { detail: `send ${JSON_MEDIA_TYPE}` });
    }
    if (body.length === 0) return undefined;
    if (body.length > MAX_JSON_BODY_BYTES)
      throw new RescindError('too-large', { detail: `at most ${MAX_JSON_BODY_BYTES} bytes` });
    const value = parseStrictJson(body);
    if (value === null)
      throw new RescindError('invalid-request', {
        detail: 'the body is null; send an object, or no body where it is optional',
      });
    return value;
  },
};
