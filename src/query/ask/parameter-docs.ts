import { OPERATIONS, OUTCOMES } from '../../projections/index.js';
import { MOMENT } from './as-of.js';
import {
  CURSOR,
  DIGEST as digest,
  ENTITY as entity,
  EXPAND,
  LIMIT,
  SECONDS as seconds,
  TEXT as text,
  TOKEN_ID,
  UUID,
  WORDS,
} from './parameters.js';

const choice = (values: readonly string[]) => ({ type: 'string', enum: values }) as const;

/** Every query parameter of the read API, for OpenAPI. A parameter means the same in every question. */
const PARAMETER_DOCS = {
  user: { schema: entity, description: 'entity id of a user, as other answers give it' },
  user_iss: { schema: text, description: 'issuer of a user; with `user_sub`' },
  user_sub: { schema: text, description: 'the user as its issuer names it' },
  user_tenant: { schema: text, description: 'tenant claim of the user, where its issuer states one' },
  client: { schema: entity, description: 'entity id of a client, at the IdP or at a resource authorization server' },
  client_iss: { schema: text, description: 'issuer of a client; with `client_id`' },
  client_id: { schema: text, description: 'the client as that issuer names it' },
  agent: { schema: entity, description: 'entity id of an agent' },
  agent_iss: { schema: text, description: 'issuer of an agent; with `agent_id`' },
  agent_id: { schema: text, description: 'the agent as that issuer names it' },
  agent_type: { schema: text, description: 'type of agent; only together with user, client, agent, resource or token' },
  resource: { schema: text, description: 'a resource identifier (URI), or the entity id of one' },
  token: { schema: TOKEN_ID, description: 'key of a token' },
  operation: {
    schema: choice(Object.keys(OPERATIONS)),
    description: 'only together with user, client, agent, resource or token',
  },
  outcome: {
    schema: choice(Object.keys(OUTCOMES)),
    description: 'only together with user, client, agent, resource or token',
  },
  route: {
    schema: text,
    description: 'route template or tool name, whole; only together with user, client, agent, resource or token',
  },
  scope: {
    schema: text,
    description: 'one scope that was used; only together with user, client, agent, resource or token',
  },
  client_address: {
    schema: text,
    description:
      'address of the client, as the event gave it; only together with user, client, agent, resource or token',
  },
  by: { schema: { ...choice(['hour', 'day']), default: 'day' }, description: 'what is counted together' },
  from: { schema: seconds, description: 'accesses that began then or later, epoch seconds' },
  to: { schema: seconds, description: 'accesses that began earlier, epoch seconds' },
  as_of: {
    schema: MOMENT,
    description:
      'the moment that the answer holds for: an index of the ledger (`1234`: the entries below it) or a time (RFC 3339, `2026-11-20T09:00:00Z`: what had arrived by then). Without it: now',
  },
  expand: {
    schema: EXPAND,
    description:
      'id of a node, an entity’s or `issuer:` and a name: the graph around it; around an issuer its agents, its clients and those of its users, who stay folded; not together with filters',
  },
  depth: {
    schema: { type: 'integer', minimum: 1, maximum: 3, default: 1 },
    description: 'edges from the node that is expanded',
  },
  fold: {
    schema: choice(['users', 'none']),
    description: 'users: counted on clients; none: drawn. Without it they are drawn where all of them fit',
  },
  session_iss: { schema: text, description: 'issuer of a session; with `session_sid`' },
  session_sid: { schema: text, description: '`sid` of the session' },
  id_jag_iss: { schema: text, description: 'issuer of an ID-JAG; with `id_jag_jti`' },
  id_jag_jti: { schema: text, description: '`jti` of the ID-JAG' },
  id_jag_sha256: { schema: digest, description: 'SHA-256 of the ID-JAG, base64url; instead of the two' },
  since: { schema: seconds, description: 'uses from then on, epoch seconds; without it the last 30 days' },
  preview: {
    schema: { type: 'boolean', default: true },
    description: 'whether each proposed rule comes with its preview',
  },
  rule: { schema: text, description: 'id of a rule' },
  issuer: { schema: text, description: 'an issuer: of tokens, or of the ID-JAGs that they came from' },
  format: { schema: { ...choice(['json', 'csv']), default: 'json' }, description: 'of the report' },
  code: { schema: text, description: 'why it was refused' },
  source: { schema: UUID, description: 'id of a source' },
  operator: {
    schema: { type: 'boolean' },
    description: 'what came of no registered source; for administrators of the tenant `default`',
  },
  q: {
    schema: WORDS,
    description: 'a name or the beginning of one, an id, a digest (base64url or hexadecimal), an index: never a token',
  },
  iss: { schema: text, description: 'issuer of the token; with `jti`' },
  jti: { schema: text, description: '`jti` of the token; with `iss`' },
  sha256: { schema: digest, description: 'SHA-256 of an opaque token, base64url' },
  signing_input_sha256: {
    schema: digest,
    description: 'SHA-256 of the signing input of a JWT without `jti`, base64url',
  },
  kind: { schema: choice(['user', 'client', 'agent']), description: 'entries of one kind' },
  limit: { schema: LIMIT, description: 'items in the page' },
  cursor: { schema: CURSOR, description: '`next` of the page before, with the same other parameters' },
} as const;

type ParameterName = keyof typeof PARAMETER_DOCS;

export interface ParameterDoc {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
  readonly schema: object;
}

/** `own`: in which a question differs from the others. */
export const parameterDocs = (
  names: readonly ParameterName[],
  own: Partial<Record<ParameterName, Partial<ParameterDoc>>> = {},
): ParameterDoc[] => names.map((name) => ({ name, required: false, ...PARAMETER_DOCS[name], ...own[name] }));

/** A parameter of a path, which is always there. */
export const PATH_DOCS = {
  /** A text that names nothing is answered 404. */
  any: text,
  token: TOKEN_ID,
  entity,
} as const;
