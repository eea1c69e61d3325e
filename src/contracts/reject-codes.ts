/** Why `accept()` refused an event: stable codes, each with one sentence for people. Stored in quarantine and sent to producers. */
export const REJECT_CODES = {
  'malformed-json': 'The bytes are not one JSON value.',
  'duplicate-key': 'An object names a member twice.',
  'invalid-utf8': 'The bytes are not valid UTF-8.',
  nul: 'A string contains U+0000.',
  'lone-surrogate': 'A string contains half of a surrogate pair.',
  'unknown-type': 'The event type is not one that Rescind knows.',
  'unsupported-version': 'The event type is known, but not in this version.',
  'invalid-envelope': 'The CloudEvents attributes are missing or malformed.',
  'invalid-data': 'The event data does not match the schema of its type.',
  'invalid-scope':
    'A `scope` is not a list of scopes separated by single spaces, or it is too long: at most 100 scopes, 256 characters each.',
  'identifier-too-long': 'An identifier is longer than 512 bytes.',
  'time-out-of-range': 'A time lies outside the years 2000 to 2100.',
  'time-in-future': 'A time that must lie in the past is more than five minutes ahead of arrival.',
  'too-large': 'The event is larger than 256 KiB, or the request than its limit.',
  'repeated-header': 'A CloudEvents header occurs twice in one record.',
  'unknown-source': 'No source is registered under this URI.',
  'wrong-topic': "The record names another source than its topic's.",
  'wrong-issuer': 'The source may not speak for this issuer.',
  'wrong-resource': 'The source may not speak for this audience or resource.',
  'type-not-allowed': 'The source may not send events of this type.',
  'unsigned-on-shared-topic': 'An unsigned event of this type is not accepted on a topic that sources share.',
  'signature-required': 'The source is registered to sign its events, and this one is not signed.',
  'signature-invalid': 'The signature, or the header that says how it was made, is not one of the source.',
  'unknown-key': 'The source has no key with this `kid` and algorithm.',
  'wrong-audience': 'What the source signed is not meant for this tenant: `aud` names another.',
  'manifest-mismatch':
    'The manifest of the signed batch does not name exactly the events that came with it, in this order.',
  'secret-in-event': 'A member contains a token or another secret; send its identity instead.',
  conflict: 'The source has already sent other content under this event id.',
  'token-of-another-issuer': 'Another issuer has announced a token with this digest; the first one stands.',
  'unsupported-media-type': 'The content type is not one of those that carry events.',
  'refused-by-database': 'The database refused the event.',
  'source-not-allowed': 'The caller may not emit for this source.',
} as const;

export type RejectCode = keyof typeof REJECT_CODES;
