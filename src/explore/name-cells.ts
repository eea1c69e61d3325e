import type { ExploreRow } from './answers.js';

/* Names as cells of a file: each part that tells two of them apart has a column. */

export type Cell = string | number | null;
type Columns<Name> = Readonly<Record<string, (name: Name) => Cell>>;

export const NAME_CELLS: {
  readonly [Member in 'user' | 'client' | 'agent' | 'resource' | 'source']: Columns<NonNullable<ExploreRow[Member]>>;
} = {
  user: {
    user_iss: ({ iss }) => iss,
    user_tenant: ({ tenant }) => tenant ?? null,
    user: ({ sub }) => sub,
  },
  client: { client_iss: ({ iss }) => iss, client: ({ client_id: id }) => id },
  agent: { agent_iss: ({ iss }) => iss, agent: ({ id }) => id },
  resource: { resource: ({ uri }) => uri },
  source: { source: ({ name }) => name, source_id: ({ id }) => id },
};

export type NamedMember = keyof typeof NAME_CELLS;

/** Columns of a member that holds a name or null. */
export const nameColumns = <Member extends NamedMember>(
  member: Member,
): [column: string, cell: (name: ExploreRow[Member]) => Cell][] =>
  Object.entries(NAME_CELLS[member]).map(([column, cell]) => [
    column,
    (name) => (name === null ? null : (cell as (name: unknown) => Cell)(name)),
  ]);
