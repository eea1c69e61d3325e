import { nameSchemas, TIME } from '../../contracts/index.js';
import { Type, type Static, type TSchema } from 'typebox';

/* Schemas that all answers are built from; each room adds its own in `answers.ts`. */
export const strict = { additionalProperties: false } as const;
export const maybe = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const Index = Type.String({
  pattern: '^(?:0|[1-9][0-9]{0,18})$',
  description: 'position in the ledger, a decimal number',
});
/** A time, written by `timeText` or, where milliseconds are recorded, by `instantText`. */
export const Time = Type.Unsafe<string>({ ...TIME });
export const timeThat = (description: string) => Type.Unsafe<string>({ ...TIME, description });
export const Count = Type.Integer({ minimum: 0 });
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
export const TokenId = Type.String({
  pattern: '^[A-Za-z0-9_-]{22}$',
  description: 'key of the token, for `/v1/tokens/{id}`',
});
export const EntityId = Type.Integer({ minimum: 1, description: 'id of the entity, for use in filters' });
export const Base64 = Type.String({ contentEncoding: 'base64' });
export const Uuid = Type.String({ format: 'uuid' });
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
export const Resource = Type.Object({ entity: EntityId, uri: Type.String() }, strict);
export const Source = Type.Object(
  { id: Uuid, name: maybe(Type.String({ description: 'name of the source; null: Rescind itself' })) },
  strict,
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

nameSchemas({ AsOf, User, Client, Agent, Resource, Source });

export type AsOf = Static<typeof AsOf>;
export type User = Static<typeof User>;
export type Client = Static<typeof Client>;
export type Agent = Static<typeof Agent>;
export type Resource = Static<typeof Resource>;
