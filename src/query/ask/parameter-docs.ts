import { MOMENT_INPUT, PAYLOAD_MARK, TIME_INPUT } from '../../contracts/index.js';
import { OPERATIONS, OUTCOMES } from '../../projections/index.js';
import {
  CURSOR,
  DIGEST as digest,
  ENTITY as entity,
  EXPAND,
  INDEX,
  INDEX_BEHIND,
  LIMIT,
  TEXT as text,
  TOKEN_ID,
  UUID,
  WORDS,
} from './parameters.js';

/** A duration in a question. */
const BACK = 'a duration counts back from the moment that the answer is about';
const choice = (values: readonly string[]) => ({ type: 'string', enum: values }) as const;

/** Every query parameter of the read API, for OpenAPI. A parameter means the same in every question. */
const PARAMETER_DOCS = {
  user: { schema: entity, description: 'entity id of a user, from another answer' },
  user_iss: { schema: text, description: 'issuer of a user; needs `user_sub`' },
  user_sub: { schema: text, description: 'the user’s `sub` at that issuer' },
  user_tenant: { schema: text, description: 'the user’s tenant claim, if the issuer states one' },
  client: { schema: entity, description: 'entity id of a client, at the IdP or at a resource authorization server' },
  client_iss: { schema: text, description: 'issuer of a client; needs `client_id`' },
  client_id: { schema: text, description: 'the client’s `client_id` at that issuer' },
  agent: { schema: entity, description: 'entity id of an agent' },
  agent_iss: { schema: text, description: 'issuer of an agent; needs `agent_id`' },
  agent_id: { schema: text, description: 'the agent’s id at that issuer' },
  agent_type: {
    schema: text,
    description: 'type of the agent: the one that its newest token states',
  },
  resource: { schema: text, description: 'a resource identifier (URI), or the entity id of one' },
  token: { schema: TOKEN_ID, description: 'key of a token, from another answer' },
  operation: { schema: choice(Object.keys(OPERATIONS)), description: 'only accesses of this operation' },
  outcome: { schema: choice(Object.keys(OUTCOMES)), description: 'only accesses with this outcome' },
  route: { schema: text, description: 'the whole route template or tool name' },
  scope: { schema: text, description: 'one scope that was used' },
  client_address: {
    schema: { ...text, ...PAYLOAD_MARK },
    description: 'address of the client as the event states it; for callers that may see payloads',
  },
  by: {
    schema: { ...choice(['hour', 'day']), default: 'day' },
    description: 'length of the intervals that are counted',
  },
  from: { schema: TIME_INPUT, description: `only accesses that began at this time or later; ${BACK}` },
  to: { schema: TIME_INPUT, description: `only accesses that began before this time; ${BACK}` },
  before_index: { schema: INDEX, description: 'only entries below this index of the ledger' },
  as_of: {
    schema: MOMENT_INPUT,
    description:
      'The moment that the answer is about: an index of the ledger (`1234`: the entries below it) or a time (`2026-11-20T09:00:00Z`, `7d`: the entries that had arrived by then). Default: now.',
  },
  expand: {
    schema: EXPAND,
    description:
      'Shows the graph around one node: the id of an entity, or `issuer:` and a name. Around an issuer: its agents, its clients and the clients of its users, who stay folded. Not allowed together with filters.',
  },
  depth: {
    schema: { type: 'integer', minimum: 1, maximum: 3, default: 1 },
    description: 'number of edges to follow from the expanded node',
  },
  fold: {
    schema: choice(['users', 'teams', 'none']),
    description:
      '`users`: users are only counted, on clients; `teams`: the users of each team of the directory are one node; `none`: users are nodes. Default: users are nodes if all of them fit.',
  },
  since: {
    schema: TIME_INPUT,
    description: `Only uses from this time on; ${BACK}. Default: the last 30 days.`,
  },
  preview: {
    schema: { type: 'boolean', default: true },
    description: 'whether to add its preview to each proposed rule',
  },
  rule: { schema: text, description: 'id of a rule' },
  format: { schema: { ...choice(['json', 'csv']), default: 'json' }, description: 'format of the report' },
  code: { schema: text, description: 'only records refused with this code' },
  source: { schema: UUID, description: 'id of a source' },
  operator: {
    schema: { type: 'boolean' },
    description: 'true: records of no registered source. For administrators of the tenant `default`.',
  },
  q: {
    schema: WORDS,
    description:
      'A name or a part of it (three characters or more), an email address of the directory, a `jti`, an address, a route, an id, a digest (base64url or hexadecimal) or an index. Never send a token.',
  },
  iss: { schema: text, description: 'issuer of the token; needs `jti`' },
  jti: { schema: text, description: '`jti` of the token; needs `iss`' },
  sha256: { schema: digest, description: 'SHA-256 of an opaque token, base64url' },
  signing_input_sha256: {
    schema: digest,
    description: 'SHA-256 of the signing input of a JWT without `jti`, base64url',
  },
  kind: { schema: choice(['user', 'client', 'agent']), description: 'only entries of this kind' },
  after_index: {
    schema: INDEX_BEHIND,
    description:
      'Only accesses behind this index, in the order of the ledger. A reader that polls begins with `-1`, behind which the first entry of the ledger stands too, and goes on with the index of the last item. Without `from`, `to` and `cursor`.',
  },
  limit: { schema: LIMIT, description: 'largest number of items in the page' },
  cursor: { schema: CURSOR, description: '`next` of the previous page; all other parameters must stay the same' },
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
