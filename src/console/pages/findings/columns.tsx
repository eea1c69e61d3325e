import { Link } from '@tanstack/react-router';
import { Below, Count, Faint } from '../../display/cells.js';
import type { Columns } from '../../display/data-table.js';
import type { Entity } from '../../display/entity.js';
import { EntityLink } from '../../display/entity-link.js';
import { Moment } from '../../display/moment.js';
import { Name, Sentence } from '../../display/name.js';
import { Severity } from '../../display/findings/severity.js';
import type { Finding } from './queries.js';
import classes from '../../display/cells.module.css';

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
        <Link
          className={classes.opening}
          from="/findings"
          to="/findings"
          search={(before) => ({ ...before, finding: original.id })}
        >
          {original.kind}
        </Link>
        <Below isClamped>
          <Sentence>{original.says}</Sentence>
        </Below>
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
    cell: ({ row }) => <Count of={row.original.count} />,
  },
  { id: 'first', header: 'First', cell: ({ row }) => <Moment at={row.original.first_seen} stacked /> },
  { id: 'last', header: 'Last', cell: ({ row }) => <Moment at={row.original.last_seen} stacked /> },
  {
    id: 'state',
    header: 'State',
    cell: ({ row: { original } }) => (original.state === 'open' ? original.state : <Faint>{original.state}</Faint>),
  },
];

/** Columns that a phone has no room for. */
export const WIDE = ['who', 'count', 'first', 'last'];
