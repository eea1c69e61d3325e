import { Text } from '@mantine/core';
import type { Columns } from '../../display/data-table.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { PageLink } from '../../display/page-link.js';
import type { Source } from './queries.js';

const Right = ({ children }: { readonly children: string }) => (
  <Text inherit ta="right">
    {children}
  </Text>
);
const Count = ({ of }: { readonly of: number }) => <Right>{countText(of)}</Right>;

export const COLUMNS: Columns<Source> = [
  {
    id: 'source',
    header: 'Source',
    cell: ({ row: { original } }) => (
      <PageLink to="/sources/$id" params={{ id: original.source.id }} inherit c="inherit" fw={500}>
        <Name>{original.source.name ?? original.uri}</Name>
      </PageLink>
    ),
  },
  { id: 'events', header: () => <Right>Events</Right>, cell: ({ row }) => <Count of={row.original.events} /> },
  {
    id: 'last',
    header: 'Last event',
    cell: ({ row: { original } }) =>
      original.last === null ? (
        <Text inherit c="dimmed">
          none came
        </Text>
      ) : (
        <Moment at={original.last.arrival} />
      ),
  },
  {
    id: 'refused',
    header: () => <Right>Refused</Right>,
    cell: ({ row }) => <Count of={row.original.refused.reduce((sum, { count }) => sum + count, 0)} />,
  },
  {
    id: 'missing',
    header: () => <Right>Missing</Right>,
    cell: ({ row }) => <Right>{row.original.sequence ? countText(row.original.sequence.missing) : '–'}</Right>,
  },
  {
    id: 'attributed',
    header: () => <Right>Uses without a user</Right>,
    cell: ({ row: { original } }) => <Count of={original.uses.count - original.uses.attributed} />,
  },
];

/** Columns that a phone has no room for. */
export const WIDE = ['refused', 'missing', 'attributed'];
