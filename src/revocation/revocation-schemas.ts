import { nameSchemas, SELECTOR_MEMBERS, SELECTOR_SCHEMA, TIME, type MembersOf } from '../contracts/index.js';
import type { Author } from '../control/index.js';
import type { OtherValues } from '../rules/index.js';
import type { Preview } from '../selection/index.js';
import type { Confirmation } from './in-force-answer.js';
import { EFFECT, ORDER } from './order-schema.js';
import type { OtherRule, OtherRules } from './preview/surroundings.pg.js';
import { RULE_STATES, type OriginView, type RuleEnd, type RuleView } from './recorded/rule-view.js';
import type { RulePage, Standing } from './recorded/shown-rules.js';
import type { Accepted, Foreseen, LiftConfirmation, OrderConfirmation } from './revocations.js';

const text = { type: 'string' } as const;
const author = {
  type: 'object',
  required: ['caller'],
  properties: {
    caller: text,
    person: { type: 'object', required: ['iss', 'sub'], properties: { iss: text, sub: text } },
    on_behalf_of: text,
  } satisfies MembersOf<Author>,
} as const;

const counted = (description: string) => ({ type: 'integer', minimum: 0, description });
export const PREVIEWED = {
  type: 'object',
  required: ['tokens', 'used_in_last_hour', 'users', 'grants', 'connections'],
  properties: {
    as_of: {
      type: 'object',
      properties: { index: { type: 'string', description: 'Ledger entries with a lower index are counted.' } },
    },
    tokens: counted('live tokens, including those that another rule stops already'),
    used_in_last_hour: counted('live tokens with an access in the last hour'),
    users: counted('users of those tokens and grants; a person with one name at a RAS and one at the IdP counts once'),
    grants: counted(
      'standing grants that the selector names, and those behind the tokens; for a token, ID-JAG, session or agent type only those behind the tokens',
    ),
    connections: counted('connections that are not deleted, counted like the grants'),
    at_least: {
      type: 'boolean',
      enum: [true],
      description: 'The numbers in this object are lower bounds. Without this member they are exact.',
    },
  } satisfies MembersOf<Preview>,
} as const;

const unknown = {
  type: 'array',
  nullable: true,
  items: { type: 'string', enum: [...SELECTOR_MEMBERS] },
  description:
    'Members of the selector with a name that no event has mentioned and no source is registered for, perhaps misspelt. null: this could not be determined in time.',
} as const;

export const FORESEEN = {
  ...PREVIEWED,
  properties: {
    ...PREVIEWED.properties,
    confirm: {
      type: 'integer',
      description: 'The value that the order needs as `confirm`. Absent: no confirmation is needed.',
    },
    unknown,
  } satisfies MembersOf<Foreseen>,
} as const;

/** A confirmation as the body has it: the status says whether it is a repeated one. */
type Shown<C extends Confirmation> = Omit<C, 'replayed'>;
const confirmation = {
  id: text,
  seq: { type: 'string', description: 'position in the control log' },
  confirmed: {
    type: 'object',
    required: ['nodes', 'guards', 'expired'],
    properties: { nodes: { type: 'integer' }, guards: { type: 'integer' }, expired: { type: 'integer' } },
  },
  ms: { type: 'number' },
  regrant_after: {
    ...TIME,
    nullable: true,
    description:
      'Tokens granted after this time are not stopped. null: later tokens are stopped too, or the rule stops nothing.',
  },
} satisfies MembersOf<Shown<Confirmation>>;
const CONFIRMED = ['id', 'seq', 'confirmed', 'ms', 'regrant_after'] as const satisfies readonly (keyof Confirmation)[];
const origin = {
  type: 'object',
  required: ['source', 'event', 'at'],
  properties: {
    source: text,
    event: text,
    at: TIME,
    subject: { type: 'string', description: 'the connection that the event is about, as RFC 8785 JSON' },
  } satisfies MembersOf<OriginView>,
};
const or = {
  type: 'object',
  description: 'Further values of the members of the selector; the rule selects by any of them too.',
  properties: {
    client: { type: 'array', items: { type: 'object', properties: { iss: text, client_id: text } } },
    resource: { type: 'array', items: text },
  } satisfies MembersOf<OtherValues>,
};
const otherRules = (description: string) => ({
  type: 'object',
  nullable: true,
  required: ['rules', 'more'],
  description: `${description} null: they could not be found in time.`,
  properties: {
    rules: {
      type: 'array',
      maxItems: 10,
      description: 'Rules that stop everything come first, then blocks before revokes, then the newest.',
      items: {
        type: 'object',
        required: ['id', 'effect', 'stops', 'selector', 'reason', 'author'],
        properties: {
          id: text,
          effect: { ...EFFECT, description: 'The present effect: a block past its end is a revoke.' },
          stops: {
            type: 'string',
            enum: ['all', 'part'],
            description: '`all`: everything that the selector names; `part`: some of it',
          },
          before: { ...TIME, description: 'for a revoke: tokens granted until then are stopped' },
          until: { ...TIME, description: 'for a block: its end' },
          selector: SELECTOR_SCHEMA,
          or,
          reason: text,
          author,
          origin,
          after_lift_of: text,
        } satisfies MembersOf<OtherRule>,
      },
    },
    more: { type: 'integer', minimum: 0, description: 'number of further rules, which are not shown' },
    at_least: {
      type: 'boolean',
      enum: [true],
      description: 'There may be more rules: the search ended at its limits, or the caller may not read every rule.',
    },
  } satisfies MembersOf<OtherRules>,
});

export const ORDER_CONFIRMATION = {
  type: 'object',
  required: CONFIRMED,
  properties: {
    ...confirmation,
    hits: {
      ...PREVIEWED,
      nullable: true,
      description:
        'The tokens, users and grants that the rule hits, counted at about the time of the order. null: they could not be counted in time.',
    },
    unknown,
    other_rules: otherRules('Other rules in force whose selector is the same, wider, or a part of this one.'),
  } satisfies MembersOf<Shown<OrderConfirmation>>,
} as const;
export const LIFT_CONFIRMATION = {
  type: 'object',
  required: CONFIRMED,
  properties: {
    ...confirmation,
    revoke: { type: 'string', description: 'the rule that keeps the blocked tokens revoked' },
    other_rules: otherRules(
      'Rules that still stop the selector of the block or a part of it, including the `revoke` of this lift.',
    ),
  } satisfies MembersOf<Shown<LiftConfirmation>>,
} as const;

export const UNCONFIRMED = {
  type: 'object',
  properties: {
    code: text,
    detail: { type: 'string', description: 'says what the rule hits, and what to send' },
    confirm: { ...ORDER.properties.confirm, description: 'The value that the same order needs as `confirm`.' },
    by: { type: 'string', enum: ['users', 'tokens'], description: 'the unit of the number in `confirm`' },
    of: {
      type: 'integer',
      nullable: true,
      description:
        'The total of that unit in the tenant. null: the total could not be counted, or the caller may not read everything.',
    },
    hits: { ...PREVIEWED, nullable: true },
  },
} as const;

export const ACCEPTED = {
  type: 'object',
  properties: {
    id: text,
    seq: confirmation.seq,
    in_force: {
      type: 'boolean',
      enum: [false],
      description: 'The rule may not be in force yet; `GET /v1/revocations/{id}` says when it is.',
    },
  } satisfies MembersOf<Accepted>,
} as const;

export const RULE = {
  type: 'object',
  required: ['id', 'seq', 'at', 'state', 'in_force', 'effect', 'selector', 'reauthenticate', 'reason', 'author'],
  properties: {
    id: text,
    seq: text,
    at: TIME,
    state: { type: 'string', enum: [...RULE_STATES] },
    in_force: {
      type: 'boolean',
      description:
        'Whether every node and guard is known to apply the rule. false for a rule that is lifted or expired, which stops nothing.',
    },
    ended: {
      type: 'object',
      required: ['by', 'at', 'leaves'],
      description: 'How the block ended, and its effect since then.',
      properties: {
        by: { type: 'string', enum: ['lift', 'event', 'until'] },
        at: {
          ...TIME,
          description: 'time of the lift, of the enabling event or of `until`',
        },
        leaves: {
          type: 'string',
          enum: ['revoke', 'nothing'],
          description: '`revoke`: tokens granted until `before` stay stopped',
        },
        before: TIME,
        author,
        revoke: { type: 'string', description: 'After a lift: the rule that keeps the blocked tokens revoked.' },
        source: {
          type: 'string',
          description:
            'After an event: the source of the event. `source`, `event` and `entry` are absent until the ledger has the event.',
        },
        event: text,
        entry: text,
      } satisfies MembersOf<RuleEnd>,
    },
    effect: EFFECT,
    selector: SELECTOR_SCHEMA,
    or,
    before: TIME,
    until: TIME,
    resume: { type: 'boolean', enum: [true], description: 'From `until` on the rule stops nothing.' },
    reauthenticate: { type: 'boolean' },
    reason: text,
    author,
    origin,
    after_lift_of: text,
    lift: {
      type: 'object',
      required: ['at', 'resume', 'reason', 'author', 'in_force'],
      properties: {
        at: TIME,
        resume: { type: 'boolean' },
        reason: text,
        author,
        in_force: { type: 'boolean', description: 'whether every node and guard is known to have received the lift' },
      } satisfies MembersOf<NonNullable<RuleView['lift']>>,
    },
  } satisfies MembersOf<RuleView>,
} as const;

export const RULE_PAGE = {
  type: 'object',
  required: ['revocations'],
  properties: {
    revocations: { type: 'array', items: RULE },
    next: { type: 'string', description: 'cursor of the next page' },
  } satisfies MembersOf<RulePage>,
} as const;

const COUNT = { type: 'integer', minimum: 0 } as const;
const COUNT_OR_UNKNOWN = { type: ['integer', 'null'], minimum: 0 } as const;
export const STANDING = {
  type: 'object',
  required: ['rules', 'nodes', 'guards'],
  properties: {
    rules: { ...COUNT, description: 'rules that stop something now: those of the states live and turned-revoke' },
    nodes: { ...COUNT_OR_UNKNOWN, description: 'processes that answer introspection; null if they were not read yet' },
    guards: { ...COUNT_OR_UNKNOWN, description: 'guards under leases of these nodes; null if they were not read yet' },
  } satisfies MembersOf<Standing>,
} as const;

nameSchemas({
  Preview: PREVIEWED,
  Foreseen: FORESEEN,
  OrderConfirmation: ORDER_CONFIRMATION,
  LiftConfirmation: LIFT_CONFIRMATION,
  Accepted: ACCEPTED,
  Rule: RULE,
  RulePage: RULE_PAGE,
  Standing: STANDING,
});
