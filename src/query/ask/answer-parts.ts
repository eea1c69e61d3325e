import { Index, maybe, nameSchemas, strict, Time } from '../../contracts/index.js';
import { Type, type Static, type TSchema } from 'typebox';

/* Schemas that all answers are built from; each room adds its own in `answers.ts`. */
export {
  Agent,
  Client,
  ClientAddress,
  Count,
  EntityId,
  Index,
  maybe,
  payload,
  Resource,
  Source,
  strict,
  Time,
  timeThat,
  TokenId,
  User,
  Uuid,
} from '../../contracts/index.js';

/**
 * Member that marks the numbers of its object as lower bounds. Without it they are exact. It stands in the same object
 * as the numbers, so that a reader cannot miss it, and is never false.
 */
export const lowerBound = {
  at_least: Type.Optional(
    Type.Literal(true, {
      description: 'The numbers in this object are lower bounds: there was more than one answer counts.',
    }),
  ),
};
export const isCut = (cut: boolean): { at_least?: true } => (cut ? { at_least: true } : {});
export const Base64 = Type.String({ contentEncoding: 'base64' });
export const Scopes = Type.Array(Type.String());
export const GrantedScopes = Type.Array(Type.String(), {
  description:
    'At most 100 scopes and 4,096 characters. A last value `…` stands for further scopes, which are not kept.',
});

export const AsOf = Type.Object(
  { index: Index, at: Time },
  {
    ...strict,
    description:
      'The answer covers every entry of the ledger with a lower index. `at` is the moment that the answer is about.',
  },
);

/** Members that say why a recorded token is not active. */
export const REASON = {
  reason: Type.String({ description: 'a value of `outcome` in the metric `rescind_introspections_total`' }),
  member: maybe(
    Type.String({
      description:
        'The member of the token’s text that differs from what is recorded or registered. null: the recorded facts alone refuse the token.',
    }),
  ),
  says: Type.String({ description: 'says what is wrong, and what to do' }),
};

/** Members that say whether a token would be active. */
export const INACTIVE = {
  would_be_active: maybe(
    Type.Boolean({
      description:
        'Whether introspection would answer active now, to a caller that may see the token. null: the question is about the past, or nobody can tell, because a text of the token did not verify, and that text may be forged.',
    }),
  ),
  because: Type.Array(
    Type.Object(
      { ...REASON, last: maybe(Time) },
      {
        ...strict,
        description:
          '`last`: the last time when a text of the token was refused for this reason. null: the recorded facts give this reason now.',
      },
    ),
    {
      description:
        'Why the token is not active: reasons from its recorded facts, and from texts that introspection refused.',
    },
  ),
};

/** Builds the schema of an answer about one thing. */
export const one = <T extends Parameters<typeof Type.Object>[0]>(properties: T) =>
  Type.Object({ as_of: AsOf, ...properties }, strict);

/** Builds the schema of a page of a list. */
export const page = <T extends TSchema>(item: T) =>
  Type.Object(
    {
      as_of: AsOf,
      items: Type.Array(item),
      next: Type.Optional(Type.String({ description: 'cursor of the next page; absent on the last' })),
    },
    strict,
  );

nameSchemas({ AsOf });

export type AsOf = Static<typeof AsOf>;
