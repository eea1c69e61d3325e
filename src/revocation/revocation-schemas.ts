import { implies, nameSchemas, SELECTOR_MEMBERS, SELECTOR_SCHEMA } from '../contracts/index.js';
import { UNCOUNTED } from './confirmation.js';
import { MOMENT, PERSON, REASON } from './order-input.js';

const text = { type: 'string' } as const;
const seconds = { type: 'integer', description: 'epoch seconds' } as const;
const author = { type: 'object', properties: { caller: text, on_behalf_of: text } } as const;

const effect = { type: 'string', enum: ['revoke', 'block'] };

const says = (member: string, schema: object) => ({ required: [member], properties: { [member]: schema } });
const holds = (member: string) => says(member, { enum: [true] });
const names = (...members: readonly string[]) =>
  says('selector', { type: 'object', anyOf: members.map((member) => ({ required: [member] })) });
const BY_IDENTITY = names('token', 'id_jag', 'session');
const without = (...members: readonly string[]) => ({
  not: { anyOf: members.map((member) => ({ required: [member] })) },
});
const IS_REVOKE = { anyOf: [says('effect', { enum: ['revoke'] }), { ...BY_IDENTITY, not: { required: ['effect'] } }] };

/** Conditions of `readOrder` between members. A schema cannot compare a time with the clock. */
const ORDER_CONDITIONS = [
  implies(IS_REVOKE, without('until')),
  implies({ not: IS_REVOKE }, { ...without('before'), properties: { reauthenticate: { enum: [false] } } }),
  implies(BY_IDENTITY, without('before')),
  implies(holds('resume'), { required: ['until'] }),
];

const orderMembers = {
  selector: SELECTOR_SCHEMA,
  effect: { ...effect, description: 'default: revoke where the selector names a token, ID-JAG or session, else block' },
  before: {
    ...MOMENT,
    description:
      'of a revoke: what was granted before; default now, never the future. Not for a token, an ID-JAG or a session, which are revoked whenever they were granted',
  },
  until: { ...MOMENT, description: 'of a block: its end, in the future, from which it acts as a revoke as of then' },
  resume: { type: 'boolean', description: 'with `until`: from then on it acts as nothing' },
  reauthenticate: { type: 'boolean', description: 'of a revoke: the sign-in must be later too' },
  reason: { ...REASON, description: 'kept in the ledger: no token and no secret' },
  on_behalf_of: PERSON,
  confirm: {
    oneOf: [
      { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      { type: 'string', enum: [UNCOUNTED] },
      { type: 'boolean' },
    ],
    description:
      'of a rule that hits more than the share of users or live tokens that may go unasked: the number that the preview, or the refusal, says, give or take a tenth (ten of few); `uncounted` where the refusal says that nothing could be counted; true where the selector is `all`',
  },
} as const;

export const ORDER = {
  type: 'object',
  required: ['selector', 'reason'],
  properties: orderMembers,
  additionalProperties: false,
  allOf: [...ORDER_CONDITIONS, implies(names('all'), holds('confirm'))],
};

export const PREVIEW = {
  ...ORDER,
  required: ['selector'],
  allOf: ORDER_CONDITIONS,
  description: 'an order; `reason` and `confirm` are not needed',
};

const counted = (description: string) => ({ type: 'integer', minimum: 0, description });
export const PREVIEWED = {
  type: 'object',
  properties: {
    as_of: {
      type: 'object',
      properties: { index: { type: 'string', description: 'what has a lower index is counted' } },
    },
    tokens: counted('live tokens, whether or not another rule stops them already'),
    used_in_last_hour: counted('of those, with an access in the last hour'),
    users: counted('of those tokens and of the grants; a person with a name of a RAS and one of the IdP is one'),
    grants: counted(
      'standing grants of what the selector names, and those behind the tokens; for a token, ID-JAG, session or agent type the latter alone',
    ),
    connections: counted('connections that are not deleted, likewise'),
    at_least: {
      type: 'boolean',
      enum: [true],
      description: 'the numbers beside it are lower bounds; without it they are exact',
    },
  },
} as const;

const unknown = {
  type: 'array',
  nullable: true,
  items: { type: 'string', enum: [...SELECTOR_MEMBERS] },
  description:
    'members of the selector that name what no event has told of and no source is registered for: perhaps a misspelt name. null: it could not be found out in time',
} as const;

export const FORESEEN = {
  ...PREVIEWED,
  properties: {
    ...PREVIEWED.properties,
    confirm: { type: 'integer', description: 'what `confirm` of the order must say; absent: none is asked for' },
    unknown,
  },
} as const;

export const LIFT = {
  type: 'object',
  properties: {
    resume: { type: 'boolean', description: 'true: what was granted before the lift is good again; default false' },
    reason: { anyOf: [REASON, { type: 'string', maxLength: 0 }] },
    on_behalf_of: PERSON,
  },
  additionalProperties: false,
} as const;

const confirmation = {
  id: text,
  seq: { type: 'string', description: 'position in the control log' },
  confirmed: {
    type: 'object',
    properties: { nodes: { type: 'integer' }, guards: { type: 'integer' }, expired: { type: 'integer' } },
  },
  ms: { type: 'number' },
  regrant_after: {
    type: 'integer',
    nullable: true,
    description:
      'what is granted later (epoch seconds) is not stopped; null: nothing granted later escapes, or nothing is stopped',
  },
};
const origin = {
  type: 'object',
  properties: { source: text, event: text, at: { type: 'integer', description: 'epoch milliseconds' } },
};
const or = {
  type: 'object',
  description: "further values of the selector's members, any of which selects too",
  properties: {
    client: { type: 'array', items: { type: 'object', properties: { iss: text, client_id: text } } },
    resource: { type: 'array', items: text },
  },
};
const otherRules = (description: string) => ({
  type: 'object',
  nullable: true,
  description: `${description}. null: they could not be found in time`,
  properties: {
    rules: {
      type: 'array',
      maxItems: 10,
      description: 'those that stop all first, blocks before revokes, newest first',
      items: {
        type: 'object',
        properties: {
          id: text,
          effect: { ...effect, description: 'as it acts now: a block past its end is a revoke' },
          stops: {
            type: 'string',
            enum: ['all', 'part'],
            description: 'everything that the selector names, or some of it',
          },
          before: { ...seconds, description: 'of a revoke: what was granted until then' },
          until: { ...seconds, description: 'of a block: its end' },
          selector: SELECTOR_SCHEMA,
          or,
          reason: text,
          author,
          origin,
          after_lift_of: text,
        },
      },
    },
    more: { type: 'integer', minimum: 0, description: 'further ones, not shown' },
    at_least: {
      type: 'boolean',
      enum: [true],
      description: 'there may be more: the search ended at its bounds, or the caller may not read every rule',
    },
  },
});

export const ORDER_CONFIRMATION = {
  type: 'object',
  properties: {
    ...confirmation,
    hits: {
      ...PREVIEWED,
      nullable: true,
      description: 'what the rule hits, counted about when it was ordered. null: it could not be counted in time',
    },
    unknown,
    other_rules: otherRules('other rules in force on the same selector, a wider one or a part of it'),
  },
} as const;
export const LIFT_CONFIRMATION = {
  type: 'object',
  properties: {
    ...confirmation,
    revoke: { type: 'string', description: 'the rule that keeps revoked what was blocked' },
    other_rules: otherRules(
      'what still stops the selector of the block or a part of it, the `revoke` of the lift included',
    ),
  },
} as const;

export const UNCONFIRMED = {
  type: 'object',
  properties: {
    code: text,
    detail: { type: 'string', description: 'what it hits, and what to send' },
    confirm: { ...ORDER.properties.confirm, description: 'what `confirm` of the same order must say' },
    by: { type: 'string', enum: ['users', 'tokens'], description: 'what was counted' },
    of: {
      type: 'integer',
      nullable: true,
      description: 'how many there are in all; null: these could not be counted, or the caller may not read everything',
    },
    hits: { ...PREVIEWED, nullable: true },
  },
} as const;

export const ACCEPTED = {
  type: 'object',
  properties: {
    id: text,
    seq: confirmation.seq,
    in_force: { type: 'boolean', enum: [false], description: 'ask `GET /v1/revocations/{id}`' },
  },
} as const;

export const RULE = {
  type: 'object',
  properties: {
    id: text,
    seq: text,
    at: seconds,
    state: { type: 'string', enum: ['live', 'lifted', 'turned-revoke', 'expired'] },
    in_force: {
      type: 'boolean',
      description:
        'whether every node and guard is known to go by it; false for a rule that is lifted or expired, which stops nothing',
    },
    ended: {
      type: 'object',
      description: 'how a block came to its end, and what it left behind',
      properties: {
        by: { type: 'string', enum: ['lift', 'event', 'until'] },
        at: {
          ...seconds,
          description: 'when it was lifted, the enabling event happened, or its `until` passed; epoch seconds',
        },
        leaves: {
          type: 'string',
          enum: ['revoke', 'nothing'],
          description: 'revoke: what was granted until `before` stays stopped',
        },
        before: seconds,
        author,
        revoke: { type: 'string', description: 'of a lift: the rule that keeps revoked what was blocked' },
        source: {
          type: 'string',
          description: 'of an event: whose; absent, as are its id and entry, while the ledger does not tell it yet',
        },
        event: text,
        entry: text,
      },
    },
    effect,
    selector: SELECTOR_SCHEMA,
    or,
    before: seconds,
    until: seconds,
    reauthenticate: { type: 'boolean' },
    reason: text,
    author,
    origin,
    after_lift_of: text,
    lift: {
      type: 'object',
      properties: {
        at: seconds,
        resume: { type: 'boolean' },
        reason: text,
        author,
        in_force: { type: 'boolean', description: 'whether every node and guard is known to have heard of it' },
      },
    },
  },
} as const;

export const RULE_PAGE = {
  type: 'object',
  properties: {
    revocations: { type: 'array', items: RULE },
    next: { type: 'string', description: 'cursor of the next page' },
  },
} as const;

nameSchemas({
  Order: ORDER,
  OrderPreview: PREVIEW,
  Lift: LIFT,
  Preview: PREVIEWED,
  Foreseen: FORESEEN,
  OrderConfirmation: ORDER_CONFIRMATION,
  LiftConfirmation: LIFT_CONFIRMATION,
  Accepted: ACCEPTED,
  Rule: RULE,
  RulePage: RULE_PAGE,
});
