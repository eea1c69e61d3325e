import { Author, nameSchemas } from '../../contracts/index.js';
import { Type, type Static } from 'typebox';
import {
  Agent,
  AsOf,
  Client,
  Count,
  GrantedScopes,
  Index,
  lowerBound,
  maybe,
  one,
  Resource,
  Scopes,
  strict,
  Time,
  timeThat,
  TokenId,
  User,
} from '../ask/answer-parts.js';

export const ReviewItem = Type.Object(
  {
    user: User,
    client: Client,
    agent: maybe(Agent),
    resource: Resource,
    granted_scopes: GrantedScopes,
    used_scopes: Scopes,
    first_granted: Type.Object(
      { index: Index, at: Time },
      { ...strict, description: 'arrival of the first event that shows the grant' },
    ),
    last_used: maybe(Time),
    uses_30_days: Count,
    uses_90_days: Count,
    rules: Type.Array(Type.String(), { description: 'rules that stop all tokens issued under the grant' }),
  },
  { ...strict, description: 'only allowed uses count' },
);

export type ReviewItem = Static<typeof ReviewItem>;
export const ReviewReport = Type.Object({ as_of: AsOf, items: Type.Array(ReviewItem) }, strict);

const volumes = {
  allowed: Count,
  denied: Count,
  records: Count,
  bytes: Count,
  first: maybe(Time),
  last: maybe(Time),
  ...lowerBound,
};

const Use = Type.Object(
  {
    index: Index,
    at: Time,
    count: Count,
    outcome: Type.Enum(['allowed', 'denied']),
    operation: maybe(Type.Enum(['read', 'write', 'delete', 'export', 'admin'])),
    resource: maybe(Resource),
    token: TokenId,
  },
  strict,
);

export const IncidentReport = one({
  rule: Type.Object(
    {
      id: Type.String(),
      entry: Type.String({ description: 'index of the rule’s entry in the ledger; /v1/entries/{index} has the proof' }),
      seq: Type.String({ description: 'position in the control log' }),
      selector: Type.Record(Type.String(), Type.Unknown()),
      others: Type.Optional(
        Type.Array(Type.Record(Type.String(), Type.Unknown()), {
          description: 'further selectors of the rule; it selects by any of them too',
        }),
      ),
      effect: Type.Enum(['block', 'revoke']),
      ordered_at: Time,
      counts_from: timeThat('time of the event that ordered the rule, otherwise `ordered_at`'),
      recorded_at: timeThat('arrival of the entry'),
      reason: Type.String(),
      author: Author,
      cause: maybe(
        Type.Object(
          { source: Type.String(), id: Type.String() },
          { ...strict, description: 'the source’s event that ordered the rule' },
        ),
      ),
      ended: maybe(
        Type.Object(
          { by: Type.Enum(['enabling', 'until']), at: Time, entry: maybe(Index), resume: Type.Boolean() },
          {
            ...strict,
            description:
              'The end of a block, with the entry of the enabling event that ended it. Tokens granted until then stay revoked, unless `resume` is true.',
          },
        ),
      ),
      lifted: maybe(Type.Object({ entry: Index, at: Time, resume: Type.Boolean() }, strict)),
    },
    strict,
  ),
  hit: Type.Object(
    {
      live_tokens: Count,
      newest: Type.Array(
        Type.Object(
          {
            id: TokenId,
            index: Index,
            user: maybe(User),
            client: Client,
            agent: maybe(Agent),
            issued_at: Time,
            expires_at: maybe(Time),
          },
          strict,
        ),
      ),
      left_out: Count,
      ...lowerBound,
    },
    {
      ...strict,
      description:
        'Tokens that were live at the order, by the entries of the ledger before it; tokens that another rule stopped are included.',
    },
  ),
  since: Time,
  before: Type.Object(volumes, {
    ...strict,
    description: 'Uses of the rule’s tokens from `since` until `counts_from`, by what is known at `as_of`.',
  }),
  after: Type.Object(
    { ...volumes, newest: Type.Array(Use), left_out: Count },
    {
      ...strict,
      description:
        'Uses of the rule’s tokens from the next second on, allowed and denied, for as long as the rule stopped them: until its lift, or until its end if the token was granted later.',
    },
  ),
  confirmations: Type.Object(
    {
      known: Type.Boolean({ description: 'false: no record of the confirmations was kept' }),
      nodes: Type.Array(
        Type.Object(
          { node: Type.String(), outcome: Type.Enum(['confirmed', 'expired']), guards: Count, at: Time },
          strict,
        ),
        {
          description:
            'Confirmations as the waiting process received them. expired: the node was gone, or its lease ran out.',
        },
      ),
    },
    strict,
  ),
});
export type IncidentReport = Static<typeof IncidentReport>;

nameSchemas({ ReviewItem, ReviewReport, IncidentReport });
