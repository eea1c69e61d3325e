import type { TSchema } from 'typebox';
import { nameSchemas, TIME, type MembersOf } from '../contracts/index.js';
import { ISSUERS_OF_TENANT } from './inputs.js';
import type { CallerView, SecretView, SourceView, TenantView } from './views.js';

/** A schema in the form that @nestjs/swagger takes. */
export type OpenApiSchema = Readonly<Record<string, never>>;

/** Converts a TypeBox schema, which is JSON Schema, to OpenAPI's dialect. */
export const openApi = (schema: TSchema | object): OpenApiSchema => JSON.parse(JSON.stringify(schema)) as OpenApiSchema;

const text = { type: 'string' } as const;
const texts = { type: 'array', items: text } as const;

const secretMembers = { id: text, created_at: TIME, expires_at: TIME } satisfies MembersOf<SecretView>;
const shownOnce = { type: 'string', description: 'shown in this answer and never again' } as const;
const callerMembers = {
  id: text,
  tenant: text,
  roles: { type: 'object' },
  secrets: { type: 'array', items: { type: 'object', properties: secretMembers } },
  disabled: { type: 'boolean' },
} satisfies MembersOf<CallerView>;

export const TENANT = {
  type: 'object',
  properties: {
    id: text,
    name: text,
    issuers: { type: 'array', items: text, description: ISSUERS_OF_TENANT },
  } satisfies MembersOf<TenantView>,
} as const;
export const CREATED_TENANT = {
  type: 'object',
  properties: { ...TENANT.properties, admin: { type: 'object', properties: { id: text, secret: shownOnce } } },
} as const;
export const SOURCE = {
  type: 'object',
  properties: {
    id: text,
    tenant: text,
    name: text,
    uri: text,
    topic: text,
    types: texts,
    issuers: texts,
    resources: texts,
    jwks: { type: 'object' },
    jwks_uri: text,
    profile: { type: 'object' },
    signature: { type: 'string', enum: ['required', 'optional'] },
    audience: { type: 'string', description: 'the `aud` of events that the source signs' },
    disabled: { type: 'boolean' },
  } satisfies MembersOf<SourceView>,
} as const;
export const CALLER = { type: 'object', properties: callerMembers } as const;
export const CREATED_CALLER = { type: 'object', properties: { ...callerMembers, secret: shownOnce } } as const;
export const CREATED_SECRET = { type: 'object', properties: { ...secretMembers, secret: shownOnce } } as const;

export const listOf = (title: string, member: string, schema: object) => ({
  type: 'object',
  title,
  properties: { [member]: { type: 'array', items: schema } },
});

nameSchemas({
  Tenant: TENANT,
  CreatedTenant: CREATED_TENANT,
  RegisteredSource: SOURCE,
  Caller: CALLER,
  CreatedCaller: CREATED_CALLER,
  CreatedSecret: CREATED_SECRET,
});

export const answer = (status: number, description: string, schema: object) => ({
  status,
  description,
  schema: openApi(schema),
});
