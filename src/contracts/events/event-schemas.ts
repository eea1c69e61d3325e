import type { TSchema } from 'typebox';
import { JSON_MEDIA_TYPE } from '../constants.js';
import { AccessAllowed, AccessDenied, AccessSummary } from './access-events.js';
import { MAX_IDENTIFIER_LENGTH } from './event-members.js';
import { eventType, type EventName } from './event-names.js';
import { IdJagDenied, IdJagIssued } from './id-jag-events.js';
import { ClientChanged, ConnectionChanged, SessionEnded, UserChanged } from './lifecycle-events.js';
import {
  IntrospectionCounted,
  LogGap,
  RegistryChanged,
  RevocationLifted,
  RevocationOrdered,
  TokenSeen,
} from './own-events.js';
import { TokenDenied, TokenIssued, TokenRevoked } from './token-events.js';

export interface EventDataOf {
  'id-jag.issued': IdJagIssued;
  'id-jag.denied': IdJagDenied;
  'token.issued': TokenIssued;
  'token.denied': TokenDenied;
  'token.revoked': TokenRevoked;
  'access.allowed': AccessAllowed;
  'access.denied': AccessDenied;
  'access.summary': AccessSummary;
  'session.ended': SessionEnded;
  'user.disabled': UserChanged;
  'user.enabled': UserChanged;
  'client.disabled': ClientChanged;
  'client.enabled': ClientChanged;
  'connection.created': ConnectionChanged;
  'connection.updated': ConnectionChanged;
  'connection.deleted': ConnectionChanged;
  'revocation.ordered': RevocationOrdered;
  'revocation.lifted': RevocationLifted;
  'source.changed': RegistryChanged;
  'caller.changed': RegistryChanged;
  'tenant.changed': RegistryChanged;
  'introspection.counted': IntrospectionCounted;
  'token.seen': TokenSeen;
  'log.gap': LogGap;
}

/** The schema of each event's `data`: the single source of its type, its validator and its documentation. */
export const DATA_SCHEMAS: Readonly<Record<EventName, TSchema>> = {
  'id-jag.issued': IdJagIssued,
  'id-jag.denied': IdJagDenied,
  'token.issued': TokenIssued,
  'token.denied': TokenDenied,
  'token.revoked': TokenRevoked,
  'access.allowed': AccessAllowed,
  'access.denied': AccessDenied,
  'access.summary': AccessSummary,
  'session.ended': SessionEnded,
  'user.disabled': UserChanged,
  'user.enabled': UserChanged,
  'client.disabled': ClientChanged,
  'client.enabled': ClientChanged,
  'connection.created': ConnectionChanged,
  'connection.updated': ConnectionChanged,
  'connection.deleted': ConnectionChanged,
  'revocation.ordered': RevocationOrdered,
  'revocation.lifted': RevocationLifted,
  'source.changed': RegistryChanged,
  'caller.changed': RegistryChanged,
  'tenant.changed': RegistryChanged,
  'introspection.counted': IntrospectionCounted,
  'token.seen': TokenSeen,
  'log.gap': LogGap,
};

export const SCHEMA_BASE = 'https://rescind.dev/schemas/';
const DIALECT = 'https://json-schema.org/draft/2020-12/schema';
const RFC_3339 = '^\\d{4}-\\d{2}-\\d{2}[Tt]\\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)?(?:[Zz]|[+-]\\d{2}:\\d{2})$';

/** Allows null: an attribute that is null counts as unset (CloudEvents JSON format, section 2.2). */
const orUnset = (schema: object): object => ({ anyOf: [schema, { type: 'null' }] });

/** Builds the JSON Schema of the whole event, as it is served at `/schemas/<type>.json`. Other CloudEvents attributes may be present. */
export function eventSchema(name: EventName): object {
  const type = eventType(name);
  const identifier = { type: 'string', minLength: 1, maxLength: MAX_IDENTIFIER_LENGTH };
  const schema = {
    $schema: DIALECT,
    $id: `${SCHEMA_BASE}${type}.json`,
    title: type,
    type: 'object',
    required: ['specversion', 'type', 'source', 'id', 'time'],
    oneOf: [{ required: ['data'] }, { required: ['data_base64'], properties: { data_base64: { type: 'string' } } }],
    properties: {
      specversion: { const: '1.0' },
      type: { const: type },
      source: identifier,
      id: identifier,
      time: { type: 'string', pattern: RFC_3339, maxLength: 64 },
      subject: orUnset(identifier),
      datacontenttype: orUnset({
        type: 'string',
        pattern: '^[^/]+/(?:[Jj][Ss][Oo][Nn]|[^/;]+\\+[Jj][Ss][Oo][Nn])(?:;.*)?$',
      }),
      data_base64: orUnset({
        type: 'string',
        contentEncoding: 'base64',
        contentMediaType: JSON_MEDIA_TYPE,
        description: 'the JSON of `data`, encoded',
      }),
      data: DATA_SCHEMAS[name],
    },
    propertyNames: { pattern: '^(?:[a-z0-9]+|data_base64)$' },
    additionalProperties: { type: ['string', 'integer', 'boolean', 'null'] },
  };
  // TypeBox marks its schemas with symbols and non-enumerable members; the served schema is plain JSON.
  return JSON.parse(JSON.stringify(schema)) as object;
}
