import { nameSchemas } from '../../contracts/index.js';
import { Type, type Static } from 'typebox';
import {
  Agent,
  AsOf,
  Client,
  Index,
  lowerBound,
  maybe,
  page,
  Resource,
  Scopes,
  strict,
  Time,
  User,
} from '../ask/answer-parts.js';

const Point = Type.Object(
  { index: Index, at: Time },
  { ...strict, description: 'an entry of the ledger and its arrival' },
);
const State = Type.Enum(['created', 'observed', 'deleted']);
const Some = Type.Integer({ minimum: 1 });

/** The first and the last entry that made a line; the same entry if one event made it. */
const made = { first: Point, last: Point };
const pair = { client: Client, resource: Resource };
const ofPair = <K extends string>(kind: K) => ({ kind: Type.Literal(kind), ...made, ...pair });

export const ChangeItem = Type.Union([
  Type.Object(
    {
      kind: Type.Enum(['connection-appeared', 'connection-returned', 'connection-vanished', 'connection-changed']),
      ...made,
      ...pair,
      idp_client: Client,
      connection: Type.String({ description: 'its id' }),
      before: maybe(State),
      after: State,
      scopes_added: Scopes,
      scopes_removed: Scopes,
      agent: maybe(Agent),
    },
    {
      ...strict,
      description:
        'one step of one connection. vanished: deleted; returned: there again after it was; changed: decided, or with other scopes or another agent',
    },
  ),
  Type.Object(ofPair('unrecorded-appeared'), {
    ...strict,
    description: 'a client and a resource that grants or uses show together, and no connection',
  }),
  Type.Object(
    { ...ofPair('grants-appeared'), grants: Some },
    { ...strict, description: 'users who came to hold a grant' },
  ),
  Type.Object(
    { ...ofPair('grants-grew'), grants: Some, scopes_added: Scopes, ...lowerBound },
    { ...strict, description: 'grants that came to hold more scopes, also such as appeared in between' },
  ),
  Type.Object(
    {
      ...ofPair('scopes-granted'),
      scopes: Type.Array(Type.Object({ scope: Type.String(), ...Point.properties }, strict)),
    },
    { ...strict, description: 'scopes that no grant of the two held before' },
  ),
  Type.Object(
    {
      ...ofPair('scopes-used'),
      scopes: Type.Array(Type.Object({ scope: Type.String(), ...Point.properties }, strict)),
    },
    { ...strict, description: 'scopes of which this is the first allowed use' },
  ),
  Type.Object(
    {
      ...ofPair('agents-appeared'),
      agents: Type.Array(
        Type.Object(
          { agent: Agent, ...Point.properties, new: Type.Boolean({ description: 'nobody had named it before' }) },
          strict,
        ),
      ),
    },
    { ...strict, description: 'agents that had nothing to do with the two before, also such as have left again' },
  ),
  Type.Object(
    { kind: Type.Literal('users-appeared'), ...made, client: Client, users: Some },
    {
      ...strict,
      description:
        'users who have their first grant of a client, at whatever resource, under the name that it has at its IdP',
    },
  ),
  Type.Object(
    {
      kind: Type.Literal('used-after-rule'),
      ...made,
      ...pair,
      user: maybe(User),
      agent: maybe(Agent),
      at: Type.Integer({ description: 'time of the first use, epoch seconds' }),
      access: Index,
      last_at: Type.Integer({ description: 'time of the last use, epoch seconds' }),
      uses: Type.Integer({ minimum: 1, description: 'how many have become known since' }),
      tokens: Type.Integer({ minimum: 1, description: 'tokens that were used' }),
      at_least: Type.Optional(
        Type.Literal(true, { description: 'there may be more uses and earlier ones: the newest were walked' }),
      ),
      rule: Type.String(),
      rule_state: Type.Enum(['ordered', 'lifted'], {
        description:
          'ordered: the rule stopped the token when it was used, as `/v1/tokens` tells it; lifted: used after the lift, which nothing of the rule speaks against',
      }),
      rule_ended: Type.Optional(
        Type.Object(
          { by: Type.Enum(['enabling', 'until']), at: Time, entry: maybe(Index) },
          {
            ...strict,
            description:
              'the block had ended before some of the uses, and stopped as a revoke what had been granted until then; `entry` is that of the enabling event, which says whose it is',
          },
        ),
      ),
      selector: Type.Record(Type.String(), Type.Unknown()),
    },
    {
      ...strict,
      description:
        'allowed uses of one user, client and resource that a rule stopped, or that came after its lift; a rule of an event counts from the time of the event',
    },
  ),
]);

export const KINDS = [
  'connection-appeared',
  'connection-returned',
  'connection-vanished',
  'connection-changed',
  'unrecorded-appeared',
  'grants-appeared',
  'grants-grew',
  'scopes-granted',
  'scopes-used',
  'agents-appeared',
  'users-appeared',
  'used-after-rule',
] as const;

const { properties } = page(ChangeItem);
export const ChangePage = Type.Object(
  {
    as_of: properties.as_of,
    since: AsOf,
    items: properties.items,
    next: properties.next,
    incomplete: Type.Optional(
      Type.Literal(true, {
        description:
          'more happened than one answer walks: older lines may be missing. Ask for a shorter time, a client or a resource',
      }),
    ),
  },
  strict,
);

nameSchemas({ ChangeItem, ChangePage });

export type ChangeItem = Static<typeof ChangeItem>;
export type ChangePage = Static<typeof ChangePage>;
