import { JSON_MEDIA_TYPE } from '../constants.js';
import { MAX_IDENTIFIER_LENGTH } from './event-members.js';
import { EVENTS, eventType, type EventName } from './event-names.js';

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
      data: EVENTS[name].data,
    },
    propertyNames: { pattern: '^(?:[a-z0-9]+|data_base64)$' },
    additionalProperties: { type: ['string', 'integer', 'boolean', 'null'] },
  };
  // TypeBox marks its schemas with symbols and non-enumerable members; the served schema is plain JSON.
  return JSON.parse(JSON.stringify(schema)) as object;
}
