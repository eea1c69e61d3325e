import { Text } from '@mantine/core';
import { Count, Faint } from '../../display/cells.js';
import type { Columns } from '../../display/data-table.js';
import { EntityLink } from '../../display/entity-link.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { PageLink } from '../../display/page-link.js';
import type { Cell } from './matrix.js';
import { STATE_WORDS } from './words.js';

const count = (id: 'grants' | 'allowed' | 'denied', header: string): Columns<Cell>[number] => ({
  id,
  header: () => (
    <Text inherit ta="right">
      {header}
    </Text>
  ),
  cell: ({ row }) => <Count of={row.original[id]} />,
});

/** The cells of the matrix, one a row. */
export const COLUMNS: Columns<Cell> = [
  { id: 'row', header: 'Client or agent', cell: ({ row }) => <EntityLink entity={row.original.row} /> },
  { id: 'resource', header: 'Resource', cell: ({ row }) => <EntityLink entity={row.original.resource} /> },
  {
    id: 'state',
    header: 'State',
    cell: ({ row: { original } }) => (
      <PageLink
        from="/map"
        to="/map"
        search={(before) => ({ ...before, cell: original.key })}
        resetScroll={false}
        inherit
        c="inherit"
        underline="always"
      >
        {STATE_WORDS[original.state]}
      </PageLink>
    ),
  },
  count('grants', 'Users'),
  count('allowed', 'Allowed'),
  count('denied', 'Denied'),
  {
    id: 'unused',
    header: 'Scopes never used',
    cell: ({ row: { original } }) => (
      <Text size="xs" ff="monospace">
        {original.unused.map((scope, nth) => (
          <span key={scope}>
            {nth > 0 && ' '}
            <Name>{scope}</Name>
          </span>
        ))}
      </Text>
    ),
  },
  {
    id: 'last',
    header: 'Last use',
    cell: ({ row: { original } }) =>
      original.lastUsed === null ? <Faint>never</Faint> : <Moment at={original.lastUsed} />,
  },
];

/** Columns that a phone has no room for. */
export const WIDE = ['allowed', 'denied', 'unused', 'last'];
