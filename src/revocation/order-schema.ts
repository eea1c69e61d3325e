import {
  IDENTITY_MEMBERS,
  implies,
  MAX_IDENTIFIER_LENGTH,
  nameSchemas,
  NO_NUL,
  NOT_BLANK,
  SELECTOR_SCHEMA,
  timeInput,
} from '../contracts/index.js';
import { UNCOUNTED } from './confirmation.js';

/** Characters of a reason. A longer one is refused, because the ledger keeps it. */
export const MAX_REASON_LENGTH = 1_024;
const REASON = { type: 'string', minLength: 1, maxLength: MAX_REASON_LENGTH, pattern: NOT_BLANK } as const;
const PERSON = {
  type: 'string',
  minLength: 1,
  maxLength: MAX_IDENTIFIER_LENGTH,
  pattern: NO_NUL,
  description: 'the person who orders this through the caller',
} as const;
export const EFFECT = { type: 'string', enum: ['revoke', 'block'] };

const says = (member: string, schema: object) => ({ required: [member], properties: { [member]: schema } });
const holds = (member: string) => says(member, { enum: [true] });
const names = (...members: readonly string[]) =>
  says('selector', { type: 'object', anyOf: members.map((member) => ({ required: [member] })) });
const BY_IDENTITY = names(...IDENTITY_MEMBERS);
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
  effect: {
    ...EFFECT,
    description: 'default: `revoke` if the selector names a token, ID-JAG or session, otherwise `block`',
  },
  before: timeInput(
    'For a revoke: tokens granted before this time are stopped. Default: now; a future time is refused, and a duration counts back from now. Not allowed if the selector names a token, an ID-JAG or a session, which are stopped whenever they were granted.',
  ),
  until: timeInput(
    'For a block: its end, in the future; a duration counts onwards from now. From then on the rule acts as a revoke as of that time.',
  ),
  resume: { type: 'boolean', description: 'With `until`: from then on the rule stops nothing.' },
  reauthenticate: { type: 'boolean', description: 'For a revoke: the user must also have signed in after that time.' },
  reason: { ...REASON, description: 'Kept in the ledger. Must contain no token and no secret.' },
  on_behalf_of: PERSON,
  confirm: {
    oneOf: [
      { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      { type: 'string', enum: [UNCOUNTED] },
      { type: 'boolean' },
    ],
    description:
      'Required if the rule hits a larger share of the users or live tokens than is allowed without confirmation: the number from the preview or from the refusal, within a tenth (or within ten, for small numbers). `uncounted` if the refusal says that nothing could be counted. `true` if the selector is `all`.',
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
  description: 'An order without the need for `reason` and `confirm`.',
};

export const LIFT = {
  type: 'object',
  properties: {
    resume: { type: 'boolean', description: 'true: tokens granted before the lift are good again. Default: false.' },
    reason: { anyOf: [REASON, { type: 'string', maxLength: 0 }] },
    on_behalf_of: PERSON,
  },
  additionalProperties: false,
} as const;

nameSchemas({ Order: ORDER, OrderPreview: PREVIEW, Lift: LIFT });
