import {
  Agent,
  Client,
  ClientAddress,
  Count,
  Index,
  maybe,
  nameSchemas,
  payload,
  Resource,
  Source,
  strict,
  Time,
  timeThat,
  TokenId,
  User,
} from '../contracts/index.js';
import { OPERATIONS, OUTCOMES } from '../projections/index.js';
import { Type, type Static, type TSchema } from 'typebox';
import { DIMENSION_NAMES, dimensionOf, MEASURE_NAMES, measureOf, type Dimension } from './question/vocabulary.js';

/* Schemas of the answers, made of the vocabulary. */

const namesOf = <N extends string>(codes: Readonly<Record<N, number>>): N[] => Object.keys(codes) as N[];

const SHOWN = { user: User, client: Client, agent: Agent, resource: Resource, text: Type.String() };

function valueSchema(dimension: Dimension): TSchema {
  switch (dimension.type) {
    case 'entity':
      return SHOWN[dimension.shows];
    case 'code':
      return Type.Enum(Object.keys(dimension.codes));
    case 'number':
      return Type.Integer();
    case 'time':
      return Time;
    case 'source':
      return Source;
    case 'token':
      return TokenId;
    case 'lookup':
      return Type.String();
  }
}

const groupSchema = (dimension: Dimension) =>
  dimension.ofPayloads ? payload(valueSchema(dimension)) : maybe(valueSchema(dimension));

const ExploreGroup = Type.Object(
  Object.fromEntries(DIMENSION_NAMES.map((name) => [name, Type.Optional(groupSchema(dimensionOf(name)))])),
  { ...strict, description: 'The dimensions of `by`. null: uses without a value.' },
);
const values = (describe: string) =>
  Type.Object(
    Object.fromEntries(MEASURE_NAMES.map((name) => [name, Type.Optional(measureOf(name).time ? maybe(Time) : Count)])),
    { ...strict, description: describe },
  );
const differences = (value: TSchema, description: string) =>
  Type.Object(
    Object.fromEntries(
      MEASURE_NAMES.filter((name) => !measureOf(name).time).map((name) => [name, Type.Optional(value)]),
    ),
    { ...strict, description },
  );

const ExploreItem = Type.Object(
  {
    group: ExploreGroup,
    values: values('The measures.'),
    before: Type.Optional(values('The measures in the window of `compare`.')),
    delta: Type.Optional(differences(Type.Integer(), 'What was added since the window of `compare`.')),
    ratio: Type.Optional(
      differences(maybe(Type.Number()), 'The value divided by the value before; null: there was nothing before.'),
    ),
    at_least: Type.Optional(
      Type.Literal(true, {
        description: 'A sum is larger than the largest number that JSON carries exactly, which stands for it.',
      }),
    ),
  },
  strict,
);

const ExploreAsOf = Type.Object(
  { index: Index, at: Time },
  { ...strict, description: 'The answer covers every entry of the ledger with a lower index, archived or not.' },
);
const ExploreWindow = Type.Object({ from: Time, to: Time }, strict);
const ExploreRead = Type.Object(
  {
    segments: Type.Integer({ minimum: 0, description: 'files of uses that were read' }),
    archived: Type.Integer({ minimum: 0, description: 'uses in these files' }),
    tail: Type.Integer({ minimum: 0, description: 'uses that are not archived yet' }),
    ms: Type.Integer({ minimum: 0, description: 'milliseconds of the engine' }),
  },
  { ...strict, description: 'What was read for the answer.' },
);

export const ExploreAnswer = Type.Object(
  {
    as_of: ExploreAsOf,
    window: ExploreWindow,
    compare: Type.Optional(ExploreWindow),
    items: Type.Array(ExploreItem),
    groups: Type.Integer({ minimum: 0, description: 'number of all groups, of which `items` has the first' }),
    read: ExploreRead,
  },
  strict,
);

export const ExploreRow = Type.Object(
  {
    index: Index,
    at: Time,
    until: Type.Optional(timeThat('end of the window, if the row is a summary')),
    count: Type.Integer({ minimum: 1, description: '1; for a summary, the number of calls in it' }),
    attributed: Type.Boolean({ description: 'false: no event has said yet whose token this is' }),
    user: maybe(User),
    client: maybe(Client),
    agent: maybe(Agent),
    resource: maybe(Resource),
    route: maybe(Type.String()),
    operation: maybe(Type.Enum(namesOf(OPERATIONS))),
    outcome: Type.Enum(namesOf(OUTCOMES)),
    status: maybe(Type.Integer()),
    scopes: Type.Array(Type.String()),
    records: maybe(Count),
    bytes: maybe(Count),
    client_address: ClientAddress,
    token: TokenId,
    source: Source,
  },
  strict,
);

export const ExploreRows = Type.Object(
  {
    as_of: ExploreAsOf,
    window: ExploreWindow,
    items: Type.Array(ExploreRow),
    next: Type.Optional(Type.String({ description: 'cursor of the next page; absent on the last' })),
    read: ExploreRead,
  },
  strict,
);

nameSchemas({
  ExploreGroup,
  ExploreItem,
  ExploreAsOf,
  ExploreWindow,
  ExploreRead,
  ExploreAnswer,
  ExploreRow,
  ExploreRows,
});

export type ExploreAnswer = Static<typeof ExploreAnswer>;
export type ExploreRow = Static<typeof ExploreRow>;
export type ExploreRows = Static<typeof ExploreRows>;
