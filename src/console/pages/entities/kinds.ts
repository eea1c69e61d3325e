import type { Answer } from '../../api/client.js';
import type { Entity } from '../../display/names.js';

export type Kind = Entity['kind'];

/** A kind, in words of the page. */
export const PLURALS: Readonly<Record<Kind, string>> = {
  user: 'Users',
  client: 'Clients',
  agent: 'Agents',
  resource: 'Resources',
};

/** The parameter by which questions are asked about one entity. */
export const about = (kind: Kind, id: string) =>
  ({ [kind]: kind === 'resource' ? id : Number(id) }) as {
    readonly user?: number;
    readonly client?: number;
    readonly agent?: number;
    readonly resource?: string;
  };

/** The selector of a rule that names the entity. */
export function selectorOf({ kind, is }: Entity): Answer<'Selector'> & object {
  switch (kind) {
    case 'user':
      return { user: { iss: is.iss, ...(is.tenant === undefined ? {} : { tenant: is.tenant }), sub: is.sub } };
    case 'client':
      return { client: { iss: is.iss, client_id: is.client_id } };
    case 'agent':
      return { agent: { iss: is.iss, id: is.id } };
    case 'resource':
      return { resource: is.uri };
  }
}
