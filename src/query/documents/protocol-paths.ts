import {
  CLOUDEVENTS_BATCH_MEDIA_TYPE,
  CLOUDEVENTS_MEDIA_TYPE,
  eventSchema,
  eventType,
  FORM_MEDIA_TYPE,
  ID_JAG_TOKEN_TYPE,
  INTAKE_WARNINGS,
  JSON_MEDIA_TYPE,
  LEDGER_STATES,
  MAX_EVENTS_PER_POST,
  NDJSON_MEDIA_TYPE,
  SECURITY_EVENT_MEDIA_TYPE,
  SIGNED_BATCH_MEDIA_TYPE,
  PROBLEM_MEDIA_TYPE,
  SOURCE_EVENT_NAMES,
  type IntakeResult,
  type IntakeWarning,
  type MembersOf,
  type OAuthError,
} from '../../contracts/index.js';
import { EVIDENCE_FORMAT } from '../../merkle/index.js';
import { LEDGER_PATHS } from './ledger-paths.js';
import { MAX_FORM_PARAMETERS } from '../../platform/http/index.js';

/*
 * Describes the endpoints that are answered in front of the framework, which therefore cannot describe them. Written by
 * hand: change it whenever one of them changes. The compiler checks the members of answers whose type is in `contracts`. It
 * cannot check readiness and forward auth, whose types are in folders that this one does not import.
 */
const callers = [{ bearer: [] }, { basic: [] }];
const text = { type: 'string' } as const;

const event = {
  specversion: '1.0',
  type: 'dev.rescind.access.allowed.v1',
  source: 'https://crm.example/api',
  id: '7f0c2c1e-1',
  time: '2026-11-24T09:30:00Z',
  data: {
    token: { iss: 'https://auth.crm.example', jti: 'at-4711' },
    operation: 'read',
    route: '/contacts/{id}',
    status: 200,
  },
};
/** The envelope is the same for every type. The data of each has a schema of its own, too long to stand here for all of them. */
const { $schema: _, $id: __, ...envelope } = eventSchema(SOURCE_EVENT_NAMES[0]!) as Readonly<Record<string, object>>;
/** RFC 4648, section 4, padded; the last letter before the padding has no bits to spare. */
const BASE64 = {
  anyOf: [
    { ...text, pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$' },
    { type: 'null' },
  ],
  description: 'the JSON of `data`, encoded',
} as const;
const cloudEvent = {
  ...envelope,
  title: 'Event',
  properties: {
    ...envelope['properties'],
    type: { enum: SOURCE_EVENT_NAMES.map(eventType) },
    data: { type: 'object', description: 'see /schemas/<type>.json' },
    data_base64: BASE64,
  },
  description: 'CloudEvents 1.0; the schema of each type: /schemas/<type>.json',
} as const;
const manyEvents = { title: 'EventBatch', type: 'array', items: cloudEvent, maxItems: MAX_EVENTS_PER_POST } as const;

const warnings = {
  title: 'Warnings',
  type: 'array',
  items: {
    type: 'object',
    required: ['code', 'detail'],
    properties: { code: { enum: INTAKE_WARNINGS }, detail: text } satisfies MembersOf<IntakeWarning>,
  },
  description:
    'Why the token of the event cannot be active with the present registration of its source. The event is stored.',
};
const evidence = {
  title: 'EvidenceOrNull',
  type: ['object', 'null'],
  required: ['format', 'entry', 'payload', 'proof'],
  properties: { format: { const: EVIDENCE_FORMAT }, entry: text, payload: {}, signed: {}, proof: text },
  description:
    'With `wait=published`: the evidence file of the entry, as `GET /v1/evidence` gives it, without what proves a signature of the source. null: no signed checkpoint covered it in time; the event is stored all the same.',
};
/** The result of an event that has this member. */
type Result<Member extends string> = Extract<IntakeResult, { readonly [M in Member]: unknown }>;
const stored = {
  title: 'StoredEvent',
  type: 'object',
  required: ['index', 'state'],
  properties: { index: text, state: { enum: LEDGER_STATES }, warnings, evidence } satisfies MembersOf<Result<'state'>>,
};
const duplicate = {
  title: 'DuplicateEvent',
  type: 'object',
  required: ['duplicate', 'index'],
  properties: { duplicate: { const: true }, index: text, warnings, evidence } satisfies MembersOf<Result<'duplicate'>>,
};
const refused = {
  title: 'RefusedEvent',
  type: 'object',
  required: ['error'],
  properties: { error: text, detail: text } satisfies MembersOf<Result<'error'>>,
};

const json = (schema: object, example?: unknown) => ({
  content: { [JSON_MEDIA_TYPE]: { schema, ...(example === undefined ? {} : { example }) } },
});
const eventResults = {
  title: 'EventResults',
  oneOf: [stored, duplicate, { type: 'array', items: { oneOf: [stored, duplicate, refused] } }],
};
const oauthError = json({
  title: 'OAuthError',
  type: 'object',
  required: ['error'],
  properties: { error: text, error_description: text } satisfies MembersOf<OAuthError>,
});
const problem = {
  content: { [PROBLEM_MEDIA_TYPE]: { schema: { type: 'object', required: ['type', 'status', 'code'] } } },
};

const tokenForm = (title: string, hint: string, example: object) => ({
  required: true,
  content: {
    [FORM_MEDIA_TYPE]: {
      schema: {
        type: 'object',
        title,
        required: ['token'],
        properties: {
          token: { ...text, minLength: 1 },
          token_type_hint: { ...text, description: hint },
          client_id: text,
          client_secret: text,
        },
        // Parameters that nobody knows are ignored (RFC 7662, 2.1). None may be repeated, so no value is a list (RFC 6749, 3.1).
        additionalProperties: text,
        maxProperties: MAX_FORM_PARAMETERS,
      },
      example,
    },
  },
});

const report = json(
  {
    title: 'Readiness',
    type: 'object',
    required: ['role', 'ready', 'age_ms', 'checks'],
    properties: {
      role: { enum: ['serve', 'ingest'] },
      ready: { type: 'boolean' },
      age_ms: { type: 'integer', description: 'age of the oldest result' },
      checks: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name', 'ok', 'ms'],
          properties: { name: text, ok: { type: 'boolean' }, ms: { type: 'integer' }, code: text },
        },
      },
    },
  },
  {
    role: 'serve',
    ready: true,
    age_ms: 412,
    checks: [
      { name: 'database', ok: true, ms: 1 },
      { name: 'serving', ok: true, ms: 0 },
    ],
  },
);
const readiness = (id: string, summary: string) => ({
  get: {
    tags: ['health'],
    operationId: id,
    summary,
    description:
      'Public. The answer comes from memory: the checks run in the background, and a result that is too old counts as not ready.',
    responses: {
      200: { description: 'ready', ...report },
      503: { description: 'not ready: `checks` says why', ...report },
    },
  },
});

const proxyHeader = (name: string, required: boolean, pattern: string, description: string) => ({
  name,
  in: 'header',
  required,
  schema: { ...text, pattern },
  description,
});
const SCOPE_TOKEN = '[!#-\\[\\]-~]+';
const upstreamHeaders = Object.fromEntries(
  ['X-Rescind-Iss', 'X-Rescind-Sub', 'X-Rescind-Client-Id', 'X-Rescind-Scope'].map((name) => [
    name,
    { schema: text, description: 'Percent-encoded if it is not printable ASCII; empty if the token states none.' },
  ]),
);
const challenge = { 'WWW-Authenticate': { schema: text, description: 'RFC 6750, section 3' } };

const authorizeRequest = (operationId: string) => ({
  tags: ['protocol'],
  operationId,
  summary: 'May this request pass? Forward auth for nginx, Traefik and Envoy',
  description:
    'The proxy is the caller, with the role `introspect`, and sends its own key in `X-Rescind-Key`. The bearer token is that of the proxy’s client. The decision is that of `/introspect`, but a token that is bound to a key is refused. Paths below this one give the same answers, whatever the method.',
  security: [{ bearer: [] }],
  parameters: [
    proxyHeader('X-Rescind-Key', true, '^[!-~]+$', 'the key of a caller with the role `introspect`'),
    proxyHeader('X-Rescind-Resource', false, '^[!-~]+$', 'must be in the token’s `aud`'),
    proxyHeader(
      'X-Rescind-Require-Scope',
      false,
      `^(?:${SCOPE_TOKEN}(?: ${SCOPE_TOKEN})*)?$`,
      'scopes that the token must have, separated by spaces',
    ),
  ],
  responses: {
    200: { description: 'let the request pass, with these headers', headers: upstreamHeaders },
    401: { description: 'no token, or a token that is not active here', headers: challenge, ...oauthError },
    400: {
      description: 'the proxy’s own headers are malformed, or its key does not belong to a caller that may ask',
      ...oauthError,
    },
    403: { description: 'insufficient_scope', headers: challenge, ...oauthError },
    503: { description: 'this node cannot decide now: ask again', ...oauthError },
  },
});

/** OpenAPI path items. */
export const PROTOCOL_PATHS = {
  '/health/live': {
    get: {
      tags: ['health'],
      operationId: 'health-live',
      summary: 'The process answers',
      responses: {
        200: { description: 'the process answers', ...json({ title: 'Liveness', type: 'object' }, { live: true }) },
      },
    },
  },
  '/health/ready': readiness(
    'health-ready',
    'Does this process serve (introspection, orders, questions)? Without the role `serve`: does it take events?',
  ),
  '/health/ready/serve': readiness('health-ready-serve', 'Does this process serve: has it its lease and its database?'),
  '/health/ready/ingest': readiness('health-ready-ingest', 'Does this process take events, also from Kafka?'),
  '/metrics': {
    get: {
      tags: ['health'],
      operationId: 'metrics',
      summary: 'Metrics for Prometheus',
      description: 'Public.',
      responses: { 200: { description: 'text exposition format', content: { 'text/plain': { schema: text } } } },
    },
  },
  '/events': {
    post: {
      tags: ['protocol'],
      operationId: 'events-post',
      summary: 'Send events of a source; the answer comes when they are durable',
      description: `Role \`emit\`. The body is one event, an array of up to ${MAX_EVENTS_PER_POST} events, or one event a line. In binary mode (CloudEvents HTTP binding, 3.1) the attributes are \`ce-\` headers, their values percent-encoded, and the body is the data, of a JSON media type (\`application/json\`, \`application/…+json\`). An attribute that is null counts as unset; \`data_base64\` is decoded; members of the data that this release does not know are kept but ignored. A signed event is a SET (RFC 8417) as \`${SECURITY_EVENT_MEDIA_TYPE}\`; a signed batch is \`${SIGNED_BATCH_MEDIA_TYPE}\`: a line with the manifest, a JWS, then a line for each event with its salt and its JSON. A source with \`signature: required\` sends nothing else.`,
      security: callers,
      parameters: [
        {
          name: 'wait',
          in: 'query',
          required: false,
          schema: { enum: ['published'] },
          description:
            'Answer when a signed checkpoint covers the entries, with the evidence of each, also of duplicates. It takes about a second, and at most four.',
        },
      ],
      requestBody: {
        required: true,
        content: {
          [CLOUDEVENTS_MEDIA_TYPE]: { schema: cloudEvent, example: event },
          [CLOUDEVENTS_BATCH_MEDIA_TYPE]: { schema: manyEvents, example: [event] },
          [JSON_MEDIA_TYPE]: { schema: { title: 'EventOrBatch', anyOf: [cloudEvent, manyEvents] }, example: event },
          [SECURITY_EVENT_MEDIA_TYPE]: { schema: { title: 'SignedEvent', ...text } },
          [SIGNED_BATCH_MEDIA_TYPE]: { schema: { title: 'SignedBatch', ...text } },
          [NDJSON_MEDIA_TYPE]: { schema: { title: 'EventLines', ...text }, example: `${JSON.stringify(event)}\n` },
        },
      },
      responses: {
        200: {
          description: 'one result for each event, in the order of the request',
          ...json(eventResults, { index: '4711', state: 'sequenced' }),
        },
        202: {
          description:
            'with `wait=published`: the events are stored, and no signed checkpoint covered all of them in time; ask `GET /v1/entries/{index}?evidence=true`, or send them again',
          ...json(eventResults, { index: '4711', state: 'sequenced', evidence: null }),
        },
        400: {
          description: 'the single event was refused, or the body is no event',
          ...json(refused, { error: 'invalid-data', detail: 'data/token must be object' }),
        },
        401: { description: 'unauthenticated' },
        403: { description: 'the caller may not speak for the source', ...json(refused, { error: 'unknown-source' }) },
        409: { description: 'other content came before under the same id', ...json(refused, { error: 'conflict' }) },
        413: { description: 'too large', ...json(refused) },
        415: { description: 'the request has no `ce-` headers and no content type for events', ...problem },
        429: { description: 'too many requests', headers: { 'Retry-After': { schema: text } } },
        503: { description: 'not stored, or the keys of the source cannot be fetched: send it again', ...problem },
      },
    },
  },
  '/introspect': {
    post: {
      tags: ['protocol'],
      operationId: 'introspect-post',
      summary: 'Is this token still good? (RFC 7662)',
      description:
        'Role `introspect`. The answer about an inactive token is the same bytes, whatever the reason. With the hint for ID-JAGs no other types are searched, although RFC 7662, 2.1 would allow it: a RAS that looks only at `active` must not redeem an access token.',
      security: callers,
      requestBody: tokenForm('IntrospectionForm', `\`access_token\`, \`refresh_token\` or \`${ID_JAG_TOKEN_TYPE}\``, {
        token: 'mF_9.B5f-4.1JqM',
        token_type_hint: 'access_token',
      }),
      responses: {
        200: {
          description: 'active, with the recorded facts, or inactive',
          content: {
            [JSON_MEDIA_TYPE]: {
              schema: {
                title: 'Introspection',
                type: 'object',
                required: ['active'],
                properties: {
                  active: { type: 'boolean' },
                  auth_time: { type: 'integer', description: 'RFC 9470' },
                  acr: text,
                },
              },
              examples: {
                active: {
                  value: {
                    active: true,
                    iss: 'https://auth.crm.example',
                    sub: 'u-17',
                    client_id: 'agent-at-crm',
                    aud: 'https://crm.example/api',
                    scope: 'contacts.read',
                    iat: 1_795_512_000,
                    exp: 1_795_512_600,
                    auth_time: 1_795_511_000,
                    acr: 'urn:example:acr:mfa',
                  },
                },
                inactive: { value: { active: false } },
              },
            },
          },
        },
        400: { description: 'invalid_request', ...oauthError },
        401: { description: 'invalid_client', ...oauthError },
        413: { description: 'the form is too long', ...oauthError },
        429: { description: 'too many failed attempts', headers: { 'Retry-After': { schema: text } }, ...oauthError },
        503: {
          description: 'this node cannot decide now: it never answers a stale yes',
          headers: { 'Retry-After': { schema: text } },
        },
      },
    },
  },
  '/authorize-request': {
    get: authorizeRequest('authorize-request-get'),
    post: authorizeRequest('authorize-request-post'),
  },
  ...LEDGER_PATHS,
  '/revoke': {
    post: {
      tags: ['protocol'],
      operationId: 'revoke-post',
      summary: 'Revoke a token (RFC 7009)',
      description:
        'Role `revoke-own`. After the answer 200, no node and no guard says *active* for the token any more. An unknown token is no error.',
      security: callers,
      requestBody: tokenForm('RevocationForm', '`access_token` or `refresh_token`', {
        token: '45ghiukldjahdnhzdauz',
        token_type_hint: 'refresh_token',
      }),
      responses: {
        200: { description: 'in force everywhere' },
        400: { description: 'invalid_request; also if the token was issued to another client', ...oauthError },
        401: { description: 'invalid_client', ...oauthError },
        403: { description: 'insufficient_scope: the caller lacks the role', ...oauthError },
        413: { description: 'the form is too long', ...oauthError },
        429: { description: 'too many failed attempts', headers: { 'Retry-After': { schema: text } }, ...oauthError },
        503: {
          description: 'the revocation is not confirmed everywhere: send it again',
          ...oauthError,
          headers: { 'Retry-After': { schema: text } },
        },
      },
    },
  },
};
