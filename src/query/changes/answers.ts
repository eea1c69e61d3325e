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
  timeThat,
  User,
} from '../ask/answer-parts.js';

const Point = Type.Object(
  { index: Index, at: Time },
  { ...strict, description: 'an entry of the ledger and its time of arrival' },
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
      connection: Type.String({ description: 'id of the connection' }),
      before: maybe(State),
      after: State,
      scopes_added: Scopes,
      scopes_removed: Scopes,
      agent: maybe(Agent),
    },
    {
      ...strict,
      description:
        'One step of one connection. vanished: it was deleted; returned: it exists again after a deletion; changed: the IdP decided it, or its scopes or its agent changed.',
    },
  ),
  Type.Object(ofPair('unrecorded-appeared'), {
    ...strict,
    description: 'A client and a resource appear together in grants or uses, without a recorded connection.',
  }),
  Type.Object({ ...ofPair('grants-appeared'), grants: Some }, { ...strict, description: 'Users received a grant.' }),
  Type.Object(
    { ...ofPair('grants-grew'), grants: Some, scopes_added: Scopes, ...lowerBound },
    { ...strict, description: 'Grants gained scopes, including grants that appeared in between.' },
  ),
  Type.Object(
    {
      ...ofPair('scopes-granted'),
      scopes: Type.Array(Type.Object({ scope: Type.String(), ...Point.properties }, strict)),
    },
    { ...strict, description: 'Scopes that no grant of this client and resource had before.' },
  ),
  Type.Object(
    {
      ...ofPair('scopes-used'),
      scopes: Type.Array(Type.Object({ scope: Type.String(), ...Point.properties }, strict)),
    },
    { ...strict, description: 'Scopes that were used, and allowed, for the first time.' },
  ),
  Type.Object(
    {
      ...ofPair('agents-appeared'),
      agents: Type.Array(
        Type.Object(
          {
            agent: Agent,
            ...Point.properties,
            new: Type.Boolean({ description: 'whether no earlier event had named the agent' }),
          },
          strict,
        ),
      ),
    },
    {
      ...strict,
      description:
        'Agents that had nothing to do with this client and resource before, including agents that have left again.',
    },
  ),
  Type.Object(
    { kind: Type.Literal('users-appeared'), ...made, client: Client, users: Some },
    {
      ...strict,
      description: 'Users with their first grant for a client, at any resource. The client has its name at the IdP.',
    },
  ),
  Type.Object(
    {
      kind: Type.Literal('used-after-rule'),
      ...made,
      ...pair,
      user: maybe(User),
      agent: maybe(Agent),
      at: timeThat('time of the first use'),
      access: Index,
      last_at: timeThat('time of the last use'),
      uses: Type.Integer({ minimum: 1, description: 'number of uses that became known between the two moments' }),
      tokens: Type.Integer({ minimum: 1, description: 'tokens that were used' }),
      at_least: Type.Optional(
        Type.Literal(true, { description: 'There may be more uses, and earlier ones: only the newest were examined.' }),
      ),
      rule: Type.String(),
      rule_state: Type.Enum(['ordered', 'lifted'], {
        description:
          'ordered: the rule stopped the token when it was used, as `/v1/tokens` says. lifted: the use came after the lift, so the rule did not forbid it.',
      }),
      rule_ended: Type.Optional(
        Type.Object(
          { by: Type.Enum(['enabling', 'until']), at: Time, entry: maybe(Index) },
          {
            ...strict,
            description:
              'The block had ended before some of the uses, and then acted as a revoke on tokens granted until its end. `entry` is the enabling event, which names its source.',
          },
        ),
      ),
      selector: Type.Record(Type.String(), Type.Unknown()),
    },
    {
      ...strict,
      description:
        'Allowed uses by one user, client and resource of tokens that a rule stopped, or uses after its lift. A rule made by an event counts from the time of the event.',
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
          'More happened than one answer examines, so older lines may be missing. Ask for a shorter time, a client or a resource.',
      }),
    ),
  },
  strict,
);

nameSchemas({ ChangeItem, ChangePage });

export type ChangeItem = Static<typeof ChangeItem>;
export type ChangePage = Static<typeof ChangePage>;
