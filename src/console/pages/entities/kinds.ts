import type { Entity } from '../../display/entity.js';

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
