import { Badge, Text } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMoments } from '../../api/moment.js';
import { Below, Count, Faint, Several } from '../../display/cells.js';
import type { Columns } from '../../display/data-table.js';
import { EntityLink } from '../../display/entity-link.js';
import { Moment } from '../../display/moment.js';
import { OfNow } from '../../display/past/of-now.js';
import { Name } from '../../display/name.js';
import { SortHead } from '../../display/sort-head.js';
import type { EntityRow } from './queries.js';
import type { ListSearch, Sort } from './search.js';
import type { Kind } from './kinds.js';

export const sortOf = ({ sort = 'grants', order }: ListSearch): { column: Sort; by: 'ascending' | 'descending' } => ({
  column: sort,
  by: order === 'asc' ? 'ascending' : 'descending',
});

/** The head of a column that sorts the list: largest or latest first, and the other way round when it is chosen again. */
function ListSort({ by, children }: { readonly by: Sort; readonly children: string }) {
  const search = useSearch({ strict: false }) as ListSearch;
  const navigate = useNavigate();
  const now = sortOf(search);
  const sorted = now.column === by ? now.by : undefined;
  const order = sorted === 'descending' ? ('asc' as const) : undefined;
  return (
    <SortHead
      sorted={sorted}
      isNumber={by === 'grants' || by === 'unused_grants'}
      onSort={() =>
        void navigate({
          to: '.',
          search: (before: object) => ({ ...before, sort: by === 'grants' ? undefined : by, order }),
          replace: true,
        })
      }
    >
      {children}
    </SortHead>
  );
}

const countOf = (of: 'users' | 'clients' | 'agents' | 'resources', header: string): Columns<EntityRow>[number] => ({
  id: of,
  header: () => (
    <Text inherit ta="right">
      {header}
    </Text>
  ),
  cell: ({ row }) => <Count of={row.original[of] ?? 0} />,
});
const COUNTS = {
  user: [countOf('clients', 'Clients'), countOf('agents', 'Agents'), countOf('resources', 'Resources')],
  client: [countOf('users', 'Users'), countOf('agents', 'Agents'), countOf('resources', 'Resources')],
  agent: [countOf('users', 'Users'), countOf('clients', 'Clients'), countOf('resources', 'Resources')],
  resource: [countOf('users', 'Users'), countOf('clients', 'Clients'), countOf('agents', 'Agents')],
} as const satisfies Readonly<Record<Kind, Columns<EntityRow>>>;

/** Marks who was not known yet at the earlier moment of a comparison. */
function NewSince({ of: { first_seen: first } }: { readonly of: EntityRow }) {
  const { against } = useMoments();
  if (against === undefined || first.at <= against) return null;
  return (
    <Badge size="xs" radius="sm" variant="default">
      new
    </Badge>
  );
}

function Issuer({ of: { entity } }: { readonly of: EntityRow }) {
  if (entity.kind === 'resource') return null;
  return (
    <Below>
      <Name>{entity.is.iss}</Name>
    </Below>
  );
}

const columnsOf = (kind: Kind): Columns<EntityRow> => [
  {
    id: 'name',
    header: 'Name',
    cell: ({ row }) => (
      <>
        <EntityLink entity={row.original.entity} /> <NewSince of={row.original} />
        <Issuer of={row.original} />
      </>
    ),
  },
  {
    id: 'owner',
    header: () => (
      <>
        Owner and team <OfNow />
      </>
    ),
    cell: ({ row: { original } }) => <Owner of={original} />,
  },
  ...COUNTS[kind],
  {
    id: 'grants',
    header: () => <ListSort by="grants">Reach</ListSort>,
    cell: ({ row }) => <Count of={row.original.grants} />,
  },
  {
    id: 'unused_grants',
    header: () => <ListSort by="unused_grants">Unused</ListSort>,
    cell: ({ row }) => <Count of={row.original.unused_grants} />,
  },
  {
    id: 'last_used',
    header: () => <ListSort by="last_used">Last use</ListSort>,
    cell: ({ row: { original } }) =>
      original.last_used === null ? <Faint>never</Faint> : <Moment at={original.last_used} stacked />,
  },
  {
    id: 'first_seen',
    header: () => <ListSort by="first_seen">First seen</ListSort>,
    cell: ({ row }) => <Moment at={row.original.first_seen.at} stacked />,
  },
];

export function Owner({ of: { owner, team, tags } }: { readonly of: Pick<EntityRow, 'owner' | 'team' | 'tags'> }) {
  return (
    <Several>
      {owner === null ? <Faint>no owner</Faint> : <Name>{owner}</Name>}
      {team !== null && (
        <Below>
          <Name>{team}</Name>
        </Below>
      )}
      {tags.map((tag) => (
        <Badge key={tag} size="xs" variant="default" radius="sm" tt="none">
          {tag}
        </Badge>
      ))}
    </Several>
  );
}

export const COLUMNS: Readonly<Record<Kind, Columns<EntityRow>>> = {
  user: columnsOf('user'),
  client: columnsOf('client'),
  agent: columnsOf('agent'),
  resource: columnsOf('resource'),
};

/** Columns that a phone has no room for. */
export const WIDE = ['owner', 'users', 'clients', 'agents', 'resources', 'unused_grants', 'first_seen'];
