import { Text } from '@mantine/core';
import type { Columns } from '../../../display/data-table.js';
import { EntityLink, type Entity } from '../../../display/entity-link.js';
import { Moment } from '../../../display/moment.js';
import { Name } from '../../../display/name.js';
import { countText } from '../../../display/numbers.js';
import { PageLink } from '../../../display/page-link.js';
import type { Row } from '../queries.js';

const entity = <Kind extends Entity['kind']>(kind: Kind): Columns<Row>[number] => ({
  id: kind,
  header: kind,
  cell: ({ row: { original } }) => {
    const is = original[kind];
    return is ? <EntityLink entity={{ kind, is } as Entity} /> : <None />;
  },
});

const None = () => (
  <Text span inherit c="dimmed">
    –
  </Text>
);

const text = (id: 'operation' | 'route' | 'client_address', header: string): Columns<Row>[number] => ({
  id,
  header,
  cell: ({ row }) => (row.original[id] === null ? <None /> : <Name>{row.original[id]}</Name>),
});

const number = (id: 'status' | 'count' | 'records' | 'bytes'): Columns<Row>[number] => ({
  id,
  header: () => (
    <Text inherit ta="right">
      {id}
    </Text>
  ),
  cell: ({ row: { original } }) => {
    const value = original[id];
    return (
      <Text inherit ta="right">
        {value === null ? <None /> : id === 'status' ? String(value) : countText(value)}
      </Text>
    );
  },
});

export const COLUMNS: Columns<Row> = [
  { id: 'at', header: 'when', cell: ({ row }) => <Moment at={row.original.at} stacked /> },
  entity('user'),
  entity('client'),
  entity('agent'),
  entity('resource'),
  text('operation', 'operation'),
  text('route', 'route'),
  {
    id: 'outcome',
    header: 'outcome',
    cell: ({ row: { original } }) => (
      <Text span inherit c={original.outcome === 'denied' ? 'red' : undefined}>
        {original.outcome}
      </Text>
    ),
  },
  number('status'),
  number('count'),
  number('records'),
  text('client_address', 'address'),
  {
    id: 'entry',
    header: () => (
      <Text inherit ta="right">
        entry
      </Text>
    ),
    cell: ({ row: { original } }) => (
      <Text inherit ta="right">
        <PageLink
          from="/explore"
          to="/explore"
          search={(before) => ({ ...before, entry: original.index })}
          resetScroll={false}
          inherit
          aria-label={`Entry ${original.index}`}
        >
          {original.index}
        </PageLink>
      </Text>
    ),
  },
];

/** Columns that a phone has no room for. */
export const WIDE = ['client', 'agent', 'resource', 'route', 'status', 'count', 'records', 'client_address'];
