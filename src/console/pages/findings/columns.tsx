import { Text } from '@mantine/core';
import type { Columns } from '../../display/data-table.js';
import type { Entity } from '../../display/entity.js';
import { EntityLink } from '../../display/entity-link.js';
import { Moment } from '../../display/moment.js';
import { Name, Sentence } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { PageLink } from '../../display/page-link.js';
import { Severity } from '../../display/severity.js';
import type { Finding } from './queries.js';

/** Everybody whom the finding names, the acting party first. */
export function partiesOf({ agent, client, user, resource }: Finding): Entity[] {
  return [
    ...(agent ? [{ kind: 'agent', is: agent } as const] : []),
    ...(client ? [{ kind: 'client', is: client } as const] : []),
    ...(user ? [{ kind: 'user', is: user } as const] : []),
    ...(resource ? [{ kind: 'resource', is: resource } as const] : []),
  ];
}

export const COLUMNS: Columns<Finding> = [
  { id: 'severity', header: 'Severity', cell: ({ row }) => <Severity of={row.original.severity} /> },
  {
    id: 'found',
    header: 'What was found',
    cell: ({ row: { original } }) => (
      <>
        <PageLink
          from="/findings"
          to="/findings"
          search={(before) => ({ ...before, finding: original.id })}
          inherit
          c="inherit"
          fw={500}
        >
          {original.kind}
        </PageLink>
        <Text size="xs" c="dimmed" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
          <Sentence>{original.says}</Sentence>
        </Text>
      </>
    ),
  },
  {
    id: 'who',
    header: 'Who',
    cell: ({ row: { original } }) => {
      const [first] = partiesOf(original);
      if (first !== undefined) return <EntityLink entity={first} withKind />;
      return original.source && <Name>{original.source.name ?? 'Rescind'}</Name>;
    },
  },
  {
    id: 'count',
    header: 'Count',
    cell: ({ row }) => (
      <Text inherit ta="right">
        {countText(row.original.count)}
      </Text>
    ),
  },
  { id: 'first', header: 'First', cell: ({ row }) => <Moment at={row.original.first_seen} stacked /> },
  { id: 'last', header: 'Last', cell: ({ row }) => <Moment at={row.original.last_seen} stacked /> },
  {
    id: 'state',
    header: 'State',
    cell: ({ row }) => (
      <Text inherit c={row.original.state === 'open' ? undefined : 'dimmed'}>
        {row.original.state}
      </Text>
    ),
  },
];

/** Columns that a phone has no room for. */
export const WIDE = ['who', 'count', 'first', 'last'];
