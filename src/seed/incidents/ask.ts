import { clientAt } from '../organisation.js';
import type { Scene } from './incident.js';

/** Builds the query parameters that name an incident's parties in a question. */
export const ask = {
  user: ({ organisation }: Scene, sub: string): string => `user_iss=${organisation.idp.issuer}&user_sub=${sub}`,
  client: ({ organisation }: Scene, id: string): string => `client_iss=${organisation.idp.issuer}&client_id=${id}`,
  agent: ({ organisation }: Scene, id: string): string =>
    `agent_iss=${organisation.idp.issuer}&agent_id=${organisation.client(id).agent!.id}`,
  resource: ({ organisation }: Scene, app: string): string => `resource=${organisation.app(app).resource}`,
  local: ({ organisation }: Scene, id: string, app: string): string =>
    clientAt(organisation.client(id), organisation.app(app)),
};
