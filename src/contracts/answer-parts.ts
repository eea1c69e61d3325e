import { Type, type Static, type TSchema } from 'typebox';
import { nameSchemas } from './json-schema.js';
import { TIME } from './times.js';

/* Schemas that the answers of `/v1` are built from. */

export const strict = { additionalProperties: false } as const;
export const maybe = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Marks the schema of a parameter that callers with `audit: {payloads: false}` may not use. OpenAPI shows the mark. */
export const PAYLOAD_MARK = { 'x-rescind-payload': true } as const;
/** Describes a member that is null for callers with `audit: {payloads: false}`. */
export const payload = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()], PAYLOAD_MARK);
export const isWithPayloads = (schema: object): boolean => 'x-rescind-payload' in schema;

export const Index = Type.String({
  pattern: '^(?:0|[1-9][0-9]{0,18})$',
  description: 'position in the ledger, a decimal number',
});
/** A time, written by `timeText` or, where milliseconds are recorded, by `instantText`. */
export const Time = Type.Unsafe<string>({ ...TIME });
export const timeThat = (description: string) => Type.Unsafe<string>({ ...TIME, description });
export const Count = Type.Integer({ minimum: 0 });
export const TokenId = Type.String({
  pattern: '^[A-Za-z0-9_-]{22}$',
  description: 'key of the token, for `/v1/tokens/{id}`',
});
export const EntityId = Type.Integer({ minimum: 1, description: 'id of the entity, for use in filters' });
export const Uuid = Type.String({ format: 'uuid' });

const display_name = Type.Optional(
  Type.String({ description: 'Present name in the directory, for people. It cannot be used in questions.' }),
);
export const User = Type.Object(
  { entity: EntityId, iss: Type.String(), tenant: Type.Optional(Type.String()), sub: Type.String(), display_name },
  strict,
);
export const Client = Type.Object(
  { entity: EntityId, iss: Type.String(), client_id: Type.String(), display_name },
  strict,
);
export const Agent = Type.Object({ entity: EntityId, iss: Type.String(), id: Type.String(), display_name }, strict);
export const Resource = Type.Object({ entity: EntityId, uri: Type.String(), display_name }, strict);
export const Source = Type.Object(
  { id: Uuid, name: maybe(Type.String({ description: 'name of the source; null: Rescind itself' })) },
  strict,
);
export const ClientAddress = payload(Type.String({ description: 'address of the client as the event states it' }));

nameSchemas({ User, Client, Agent, Resource, Source });

export type User = Static<typeof User>;
export type Client = Static<typeof Client>;
export type Agent = Static<typeof Agent>;
export type Resource = Static<typeof Resource>;
