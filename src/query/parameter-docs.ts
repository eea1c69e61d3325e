import { MAX_TIME_SECONDS, MIN_TIME_SECONDS } from '../contracts/index.js';
import { OPERATIONS, OUTCOMES } from '../projections/index.js';
import { DEFAULT_PAGE, MAX_PAGE } from './parameters.js';

const text = { type: 'string' } as const;
const seconds = { type: 'integer', minimum: MIN_TIME_SECONDS, maximum: MAX_TIME_SECONDS } as const;
const digest = { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' } as const;

/** Every query parameter of the read API, for OpenAPI. A parameter means the same wherever it stands. */
const PARAMETER_DOCS = {
  user: { schema: text, description: 'entity id of a user, as other answers give it' },
  user_iss: { schema: text, description: 'issuer of a user; with `user_sub`' },
  user_sub: { schema: text, description: 'the user as its issuer names it' },
  user_tenant: { schema: text, description: 'tenant claim of the user, where its issuer states one' },
  client: { schema: text, description: 'entity id of a client, at the IdP or at a resource authorization server' },
  client_iss: { schema: text, description: 'issuer of a client; with `client_id`' },
  client_id: { schema: text, description: 'the client as that issuer names it' },
  agent: { schema: text, description: 'entity id of an agent' },
  agent_iss: { schema: text, description: 'issuer of an agent; with `agent_id`' },
  agent_id: { schema: text, description: 'the agent as that issuer names it' },
  agent_type: { schema: text, description: 'type of agent; only together with user, client, agent, resource or token' },
  resource: { schema: text, description: 'a resource identifier (URI), or the entity id of one' },
  token: { schema: text, description: 'key of a token' },
  operation: { schema: { ...text, enum: Object.keys(OPERATIONS) }, description: 'only together with user, client, agent, resource or token' },
  outcome: { schema: { ...text, enum: Object.keys(OUTCOMES) }, description: 'only together with user, client, agent, resource or token' },
  from: { schema: seconds, description: 'accesses that began then or later, epoch seconds' },
  to: { schema: seconds, description: 'accesses that began earlier, epoch seconds' },
  as_of: {
    schema: text,
    description: 'the moment that the answer holds for: an index of the ledger (`1234`: the entries below it) or a time (RFC 3339, `2026-11-20T09:00:00Z`: what had arrived by then). Without it: now',
  },
  code: { schema: text, description: 'why it was refused' },
  source: { schema: { ...text, format: 'uuid' }, description: 'id of a source' },
  operator: { schema: { type: 'boolean' }, description: 'what came of no registered source; for administrators of the tenant `default`' },
  q: { schema: text, description: 'a name or the beginning of one, an id, a digest (base64url or hexadecimal), an index: never a token' },
  iss: { schema: text, description: 'issuer of the token; with `jti`' },
  jti: { schema: text, description: '`jti` of the token; with `iss`' },
  sha256: { schema: digest, description: 'SHA-256 of an opaque token, base64url' },
  signing_input_sha256: { schema: digest, description: 'SHA-256 of the signing input of a JWT without `jti`, base64url' },
  kind: { schema: { ...text, enum: ['user', 'client', 'agent'] }, description: 'entries of one kind' },
  limit: { schema: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE }, description: 'items in the page' },
  cursor: { schema: text, description: '`next` of the page before, with the same other parameters' },
} as const;

export interface ParameterDoc {
  readonly name: string;
  readonly required: false;
  readonly description: string;
  readonly schema: { readonly type: 'string' | 'integer' | 'boolean' };
}

export const parameterDocs = (names: readonly (keyof typeof PARAMETER_DOCS)[]): ParameterDoc[] =>
  names.map((name) => ({ name, required: false, ...PARAMETER_DOCS[name] }));
