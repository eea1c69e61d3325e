// Grant types, token types and hints.
/** RFC 8693, 2.1. */
export const TOKEN_EXCHANGE_GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** RFC 7523, 2.1. */
export const JWT_BEARER_GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** ID-JAG draft, section 9; also Rescind's introspection hint for an ID-JAG (open question B9). */
export const ID_JAG_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id-jag';
/** RFC 8693, 3. */
export const ID_TOKEN_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id_token';
export const ACCESS_TOKEN_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
export const REFRESH_TOKEN_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:refresh_token';
/** RFC 7523, 2.2. */
export const JWT_BEARER_CLIENT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** ID-JAG draft, section 7.2. */
export const ID_JAG_GRANT_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag';
/** RFC 7009, 2.1 and RFC 7662, 2.1. */
export const ACCESS_TOKEN_HINT = 'access_token';
export const REFRESH_TOKEN_HINT = 'refresh_token';

// JOSE `typ` values.
/** ID-JAG draft, section 3.1. */
export const ID_JAG_TYP = 'oauth-id-jag+jwt';
/** RFC 9068, 2.1. */
export const ACCESS_TOKEN_TYP = 'at+jwt';
/** RFC 8417, 2.3. */
export const SECURITY_EVENT_TYP = 'secevent+jwt';
/** The signed manifest of a batch of events (src/ingest/signed-events.md). */
export const SIGNED_BATCH_TYP = 'rescind-batch+jwt';
/** OpenID Connect Back-Channel Logout. */
export const LOGOUT_TYP = 'logout+jwt';

/** Names of token profiles that a source may be registered with (registry/profiles.md). */
export const TOKEN_PROFILE_PRESETS = [
  'rfc9068',
  'keycloak',
  'okta',
  'auth0',
  'entra',
  'pingone',
  'pingam',
  'hydra',
] as const;
export type TokenProfilePreset = (typeof TOKEN_PROFILE_PRESETS)[number];

// Media types.
export const JSON_MEDIA_TYPE = 'application/json';
export const FORM_MEDIA_TYPE = 'application/x-www-form-urlencoded';
/** RFC 9457, 3. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';
/** CloudEvents JSON format: structured mode, batch. */
export const CLOUDEVENTS_MEDIA_TYPE = 'application/cloudevents+json';
export const CLOUDEVENTS_BATCH_MEDIA_TYPE = 'application/cloudevents-batch+json';
export const NDJSON_MEDIA_TYPE = 'application/x-ndjson';
/** RFC 8417, 7.2. */
export const SECURITY_EVENT_MEDIA_TYPE = 'application/secevent+jwt';
/** A signed manifest and the events that it names (src/ingest/signed-events.md). */
export const SIGNED_BATCH_MEDIA_TYPE = 'application/rescind-batch';

// Kafka.
export const EVENT_TOPIC_PREFIX = 'rescind.events.';
/** CloudEvents Kafka binding, 3.2: attributes in binary mode. */
export const CLOUDEVENTS_HEADER_PREFIX = 'ce_';

export const PROBLEM_TYPE_BASE = 'https://rescind.dev/problems/';

/** Events in one `POST /events`; more are refused with `too-large`. */
export const MAX_EVENTS_PER_POST = 1_000;
/** Bytes of one `POST /events` body; more are refused with `too-large`. */
export const MAX_POST_BYTES = 4 * 1024 * 1024;
/** Bytes of one event; larger ones are refused with `too-large`. */
export const MAX_EVENT_BYTES = 256 * 1024;

/** How serious a finding is, the least first. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];
/** Bytes of the manifest of a signed batch; one of a thousand events has half as many. */
export const MAX_MANIFEST_BYTES = 128 * 1024;
