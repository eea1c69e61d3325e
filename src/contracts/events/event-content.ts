/** RFC 4648, section 4: the standard alphabet, padded. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Decodes `data_base64` (CloudEvents JSON format, section 3.1.2). Returns undefined for text that is not padded standard base64. */
export const decodeBase64 = (text: string): Buffer | undefined =>
  BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;

const JSON_SUBTYPE = /^[a-z0-9!#$&^_.+-]+\/(?:json|[a-z0-9!#$&^_.+-]+\+json)$/;

/** Says whether a media type declares JSON: its subtype is `json` or ends in `+json` (CloudEvents JSON format, section 3.1). */
export const isJsonMediaType = (value: string): boolean =>
  JSON_SUBTYPE.test(value.split(';', 1)[0]!.trim().toLowerCase());
