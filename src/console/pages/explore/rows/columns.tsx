import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Columns } from '../../../display/data-table.js';
import { EntityLink } from '../../../display/entity-link.js';
import { Moment } from '../../../display/moment.js';
import { Name } from '../../../display/name.js';
import { countText } from '../../../display/numbers.js';
import { PageLink } from '../../../display/page-link.js';
import type { Row } from '../question/queries.js';

const None = ({ children = '–' }: { readonly children?: string }) => (
  <Text span inherit c="dimmed">
    {children}
  </Text>
);

/** The second line of a cell. */
const Beneath = ({ children }: { readonly children: ReactNode }) => (
  <Text size="xs" c="dimmed" component="div" style={{ overflowWrap: 'anywhere' }}>
    {children}
  </Text>
);

function Who({ of: { user, client, agent } }: { readonly of: Row }) {
  return (
    <>
      {user ? <EntityLink entity={{ kind: 'user', is: user }} /> : <None>not known</None>}
      <Beneath>
        {client && <EntityLink entity={{ kind: 'client', is: client }} />}
        {agent && (
          <>
            {' · '}
            <EntityLink entity={{ kind: 'agent', is: agent }} />
          </>
        )}
      </Beneath>
    </>
  );
}

function Operation({ of: { operation, outcome, status } }: { readonly of: Row }) {
  return (
    <>
      {operation ?? <None>not told</None>}
      <Beneath>
        <Text span inherit c={outcome === 'denied' ? 'red' : undefined}>
          {outcome}
        </Text>{' '}
        {status}
      </Beneath>
    </>
  );
}

function Where({ of: { resource, route } }: { readonly of: Row }) {
  return (
    <>
      {resource ? <EntityLink entity={{ kind: 'resource', is: resource }} /> : <None />}
      <Beneath>{route !== null && <Name>{route}</Name>}</Beneath>
    </>
  );
}

const right = (header: string) => () => (
  <Text inherit ta="right">
    {header}
  </Text>
);

const number = (id: 'count' | 'records'): Columns<Row>[number] => ({
  id,
  header: right(id === 'count' ? 'calls' : id),
  cell: ({ row: { original } }) => (
    <Text inherit ta="right">
      {original[id] === null ? <None /> : countText(original[id])}
    </Text>
  ),
});

export const COLUMNS: Columns<Row> = [
  { id: 'at', header: 'when', cell: ({ row }) => <Moment at={row.original.at} stacked /> },
  { id: 'who', header: 'who', cell: ({ row }) => <Who of={row.original} /> },
  { id: 'operation', header: 'operation', cell: ({ row }) => <Operation of={row.original} /> },
  { id: 'where', header: 'where', cell: ({ row }) => <Where of={row.original} /> },
  number('count'),
  number('records'),
  {
    id: 'address',
    header: 'address',
    cell: ({ row: { original } }) =>
      original.client_address === null ? <None /> : <Name>{original.client_address}</Name>,
  },
  {
    id: 'entry',
    header: right('entry'),
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
export const WIDE = ['where', 'count', 'records', 'address'];
