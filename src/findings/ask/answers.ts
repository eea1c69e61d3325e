import { Type, type Static } from 'typebox';
import {
  Agent,
  Client,
  Count,
  Index,
  maybe,
  nameSchemas,
  Resource,
  Source,
  strict,
  timeThat,
  TokenId,
  User,
  Uuid,
} from '../../contracts/index.js';
import { FindingAction } from '../actions/shown.pg.js';
import { KINDS, SEVERITIES } from '../detection.js';

export const STATES = ['open', 'resolved'] as const;

const Stop = Type.Object(
  {
    selector: Type.Unsafe<object>({ type: 'object', description: 'as `POST /v1/revocations` takes it' }),
    preview: Type.Object(
      { method: Type.Literal('POST'), path: Type.Literal('/v1/revocations/preview') },
      { ...strict, description: 'Shows what the rule would hit: send `{"selector": …}`.' },
    ),
    command: Type.String({ description: 'orders the rule' }),
  },
  { ...strict, description: 'The smallest rule that stops what was found.' },
);

export const FindingItem = Type.Object(
  {
    id: Uuid,
    kind: Type.Enum([...KINDS]),
    severity: Type.Enum([...SEVERITIES]),
    state: Type.Enum([...STATES], {
      description: '`resolved`: the cause has ended (`closed_at`).',
    }),
    says: Type.String({ description: 'says what was found' }),
    means: Type.String({ description: 'says what that means' }),
    next: Type.String({ description: 'says what to do next' }),
    first_seen: timeThat('time of the first event of the evidence'),
    last_seen: timeThat('time of the last event of the evidence'),
    found_at: timeThat('when the finding was written'),
    closed_at: maybe(timeThat('since when the cause has ended; null: it has not')),
    count: Count,
    user: maybe(User),
    client: maybe(Client),
    agent: maybe(Agent),
    resource: maybe(Resource),
    token: maybe(TokenId),
    source: maybe(Source),
    entries: Type.Array(Index, {
      description: 'the first entries of the evidence, at most 20, for `/v1/entries/{index}`',
    }),
    details: Type.Unsafe<Readonly<Record<string, unknown>>>({
      type: 'object',
      description: 'values that the sentence is made of, by kind',
    }),
    see: Type.String({ description: 'the question that shows the evidence' }),
    stop: maybe(Stop),
    action: maybe(FindingAction),
  },
  strict,
);

export const FindingPage = Type.Object(
  {
    as_of: Type.Object(
      { index: Index },
      { ...strict, description: 'The detections have read every entry of the ledger with a lower index.' },
    ),
    items: Type.Array(FindingItem),
    next: Type.Optional(Type.String({ description: 'cursor of the next page; absent on the last' })),
  },
  strict,
);

nameSchemas({ FindingAction, FindingItem, FindingPage });

export type FindingItem = Static<typeof FindingItem>;
export type FindingPage = Static<typeof FindingPage>;
