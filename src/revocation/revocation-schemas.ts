const text = { type: 'string' } as const;
const seconds = { type: 'integer', description: 'epoch seconds' } as const;
const issuerAnd = (name: string) => ({ type: 'object', properties: { iss: text, [name]: text }, required: ['iss', name] });
const digest = { type: 'string', description: 'SHA-256, base64url without padding' } as const;
const author = { type: 'object', properties: { caller: text, on_behalf_of: text } } as const;

const SELECTOR = {
  type: 'object',
  description: 'A conjunction of at most four members, or {"all": true}',
  minProperties: 1,
  maxProperties: 4,
  properties: {
    token: {
      oneOf: [
        issuerAnd('jti'),
        { type: 'object', properties: { sha256: digest }, required: ['sha256'] },
        { type: 'object', properties: { signing_input_sha256: digest }, required: ['signing_input_sha256'] },
      ],
    },
    id_jag: { oneOf: [issuerAnd('jti'), { type: 'object', properties: { sha256: digest }, required: ['sha256'] }] },
    session: issuerAnd('sid'),
    user: { type: 'object', properties: { iss: text, tenant: text, sub: text }, required: ['iss', 'sub'] },
    client: issuerAnd('client_id'),
    agent: issuerAnd('id'),
    agent_type: text,
    resource: text,
    issuer: text,
    all: { type: 'boolean', enum: [true] },
  },
};
const effect = { type: 'string', enum: ['revoke', 'block'] };

export const ORDER = {
  type: 'object',
  required: ['selector', 'reason'],
  properties: {
    selector: SELECTOR,
    effect: { ...effect, description: 'default: revoke where the selector names a token, ID-JAG or session, else block' },
    before: { ...seconds, description: 'of a revoke: what was granted before; default now, never the future. Not for a token, an ID-JAG or a session, which are revoked whenever they were granted' },
    until: { ...seconds, description: 'of a block: its end, from which it acts as a revoke as of then' },
    resume: { type: 'boolean', description: 'with `until`: from then on it acts as nothing' },
    reauthenticate: { type: 'boolean', description: 'of a revoke: the sign-in must be later too' },
    reason: text,
    on_behalf_of: { type: 'string', description: 'the person acting' },
    confirm: { type: 'boolean', description: 'true, where the selector is `all`' },
  },
} as const;

export const PREVIEW = { ...ORDER, required: ['selector'], description: 'an order; `reason` and `confirm` are not needed' } as const;

const counted = (description: string) => ({ type: 'integer', minimum: 0, description });
export const PREVIEWED = {
  type: 'object',
  properties: {
    as_of: { type: 'object', properties: { index: { type: 'string', description: 'what has a lower index is counted' } } },
    tokens: counted('live tokens, whether or not another rule stops them already'),
    used_in_last_hour: counted('of those, with an access in the last hour'),
    users: counted('of those tokens and of the grants; a person with a name of a RAS and one of the IdP is one'),
    grants: counted('standing grants of what the selector names, and those behind the tokens; for a token, ID-JAG, session or agent type the latter alone'),
    connections: counted('connections that are not deleted, likewise'),
    at_least: { type: 'boolean', enum: [true], description: 'the numbers beside it are lower bounds; without it they are exact' },
  },
} as const;

export const LIFT = {
  type: 'object',
  properties: {
    resume: { type: 'boolean', description: 'true: what was granted before the lift is good again; default false' },
    reason: text,
    on_behalf_of: { type: 'string', description: 'the person acting' },
  },
} as const;

const confirmation = {
  id: text,
  seq: { type: 'string', description: 'position in the control log' },
  confirmed: {
    type: 'object',
    properties: { nodes: { type: 'integer' }, guards: { type: 'integer' }, expired: { type: 'integer' } },
  },
  ms: { type: 'number' },
  regrant_after: { type: 'integer', nullable: true, description: 'what is granted later (epoch seconds) is not stopped; null: nothing granted later escapes, or nothing is stopped' },
};
export const CONFIRMATION = { type: 'object', properties: confirmation } as const;
export const LIFT_CONFIRMATION = {
  type: 'object',
  properties: { ...confirmation, revoke: { type: 'string', description: 'the rule that keeps revoked what was blocked' } },
} as const;

export const ACCEPTED = {
  type: 'object',
  properties: { id: text, seq: confirmation.seq, in_force: { type: 'boolean', enum: [false], description: 'ask `GET /v1/revocations/{id}`' } },
} as const;

export const RULE = {
  type: 'object',
  properties: {
    id: text,
    seq: text,
    at: seconds,
    state: { type: 'string', enum: ['live', 'lifted', 'turned-revoke', 'expired'] },
    in_force: { type: 'boolean', description: 'whether every node and guard is known to go by it' },
    effect,
    selector: SELECTOR,
    or: {
      type: 'object',
      description: 'further values of the selector\'s members, any of which selects too',
      properties: {
        client: { type: 'array', items: { type: 'object', properties: { iss: text, client_id: text } } },
        resource: { type: 'array', items: text },
      },
    },
    before: seconds,
    until: seconds,
    reauthenticate: { type: 'boolean' },
    reason: text,
    author,
    origin: { type: 'object', properties: { source: text, event: text, at: { type: 'integer', description: 'epoch milliseconds' } } },
    after_lift_of: text,
    lift: { type: 'object', properties: { at: seconds, resume: { type: 'boolean' }, reason: text, author } },
  },
} as const;

export const RULE_PAGE = {
  type: 'object',
  properties: { revocations: { type: 'array', items: RULE }, next: { type: 'string', description: 'cursor of the next page' } },
} as const;
