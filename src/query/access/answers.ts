import { nameSchemas } from '../../contracts/index.js';
import { Type, type Static } from 'typebox';
import {
  Agent,
  Client,
  ClientAddress,
  Count,
  Index,
  lowerBound,
  maybe,
  one,
  page,
  Resource,
  Scopes,
  Source,
  strict,
  Time,
  timeThat,
  TokenId,
  User,
} from '../ask/answer-parts.js';

export const AccessItem = Type.Object(
  {
    index: Index,
    at: Time,
    until: Type.Optional(timeThat('end of the window, if the item is a summary')),
    count: Type.Integer({ minimum: 1, description: '1; for a summary, the number of calls in it' }),
    attributed: Type.Boolean({ description: 'false: no event has said yet whose token this is' }),
    user: maybe(User),
    client: maybe(Client),
    agent: maybe(Agent),
    resource: maybe(Resource),
    route: maybe(Type.String()),
    operation: maybe(Type.Enum(['read', 'write', 'delete', 'export', 'admin'])),
    outcome: Type.Enum(['allowed', 'denied']),
    status: maybe(Type.Integer()),
    scopes: Scopes,
    records: maybe(Count),
    bytes: maybe(Count),
    client_address: ClientAddress,
    token: TokenId,
    source: Source,
  },
  strict,
);
export const AccessPage = page(AccessItem);

const sums = {
  accesses: Count,
  allowed: Count,
  denied: Count,
  records: Type.Integer({ minimum: 0, description: 'sum over allowed uses' }),
  bytes: Type.Integer({ minimum: 0, description: 'sum over allowed uses' }),
  operations: Type.Object(
    { read: Count, write: Count, delete: Count, export: Count, admin: Count },
    { ...strict, description: 'numbers of allowed uses' },
  ),
};

export const AccessCounts = one({
  by: Type.Enum(['hour', 'day']),
  from: Time,
  to: maybe(timeThat('null: no end')),
  total: Type.Object({ ...sums, ...lowerBound }, strict),
  items: Type.Array(
    Type.Object({ at: timeThat('beginning of the hour or day, UTC'), ...sums, ...lowerBound }, strict),
    {
      description: 'earliest first; hours or days without uses are left out',
    },
  ),
  counted_from: Type.Optional(
    timeThat('There was more than one answer counts. Everything later than this moment is counted.'),
  ),
});

nameSchemas({ AccessItem, AccessPage, AccessCounts });

export type AccessItem = Static<typeof AccessItem>;
export type AccessPage = Static<typeof AccessPage>;
export type AccessCounts = Static<typeof AccessCounts>;
