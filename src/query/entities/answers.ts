import { Type, type Static, type TSchema } from 'typebox';
import { nameSchemas } from '../../contracts/index.js';
import {
  Agent,
  Client,
  Count,
  Index,
  maybe,
  page,
  Resource,
  strict,
  Time,
  timeThat,
  User,
} from '../ask/answer-parts.js';

const numbers = {
  grants: Type.Integer({
    minimum: 0,
    description: 'its reach: standing grants, each a user’s right to use one resource with one client',
  }),
  unused_grants: Type.Integer({ minimum: 0, description: 'standing grants that were never used' }),
  last_used: maybe(timeThat('end of its last allowed use; null: it was never used')),
  first_seen: Type.Object(
    { index: Index, at: Time },
    { ...strict, description: 'the first ledger entry that names it, and its time of arrival' },
  ),
  owner: maybe(Type.String({ description: 'as the directory says now; so are `team` and `tags`' })),
  team: maybe(Type.String()),
  tags: Type.Array(Type.String()),
};
const users = { users: Type.Integer({ minimum: 0, description: 'users who hold its grants' }) };
const clients = { clients: Count };
const agents = { agents: Count };
const resources = { resources: Count };

const item = <T extends Record<string, TSchema>>(members: T) => Type.Object({ ...members, ...numbers }, strict);

export const UserItem = item({ user: User, ...clients, ...agents, ...resources });
export const ClientItem = item({ client: Client, ...users, ...agents, ...resources });
export const AgentItem = item({ agent: Agent, ...users, ...clients, ...resources });
export const ResourceItem = item({ resource: Resource, ...users, ...clients, ...agents });
export const UserPage = page(UserItem);
export const ClientPage = page(ClientItem);
export const AgentPage = page(AgentItem);
export const ResourcePage = page(ResourceItem);

nameSchemas({ UserItem, ClientItem, AgentItem, ResourceItem, UserPage, ClientPage, AgentPage, ResourcePage });

/** The page of each kind. */
export interface EntityPages {
  readonly user: Static<typeof UserPage>;
  readonly client: Static<typeof ClientPage>;
  readonly agent: Static<typeof AgentPage>;
  readonly resource: Static<typeof ResourcePage>;
}
