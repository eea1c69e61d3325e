import { Text } from '@mantine/core';
import type { Columns } from '../../display/data-table.js';
import { EntityLink } from '../../display/entity-link.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import type { Drawn, DrawnGraph } from './drawn.js';

/** A line of the drawing. */
export interface Tie {
  readonly key: string;
  readonly from: Drawn;
  readonly to: Drawn;
  readonly edge: DrawnGraph['edges'][number];
}

export function tiesOf({ nodes, edges }: DrawnGraph): Tie[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return edges.map((edge) => ({
    key: `${edge.from} ${edge.to}`,
    from: byId.get(edge.from)!,
    to: byId.get(edge.to)!,
    edge,
  }));
}

function End({ of }: { readonly of: Drawn }) {
  if ('entity' in of) return <EntityLink entity={of.entity} withKind />;
  if (of.name === undefined) return <>{of.words}</>;
  return (
    <>
      <Name>{of.name}</Name>{' '}
      <Text span size="xs" c="dimmed">
        team, {of.words}
      </Text>
    </>
  );
}

export const GRAPH_COLUMNS: Columns<Tie> = [
  { id: 'from', header: 'From', cell: ({ row }) => <End of={row.original.from} /> },
  { id: 'to', header: 'To', cell: ({ row }) => <End of={row.original.to} /> },
  {
    id: 'what',
    header: 'What it is',
    cell: ({
      row: {
        original: { edge },
      },
    }) => {
      if (edge.type === 'agent') return 'acts as it';
      if (edge.type === 'grant' && edge.users !== undefined)
        return `${countText(edge.users)} of them hold grants, at ${countText(edge.resources)} resources`;
      if (edge.type === 'grant')
        return edge.resources === 0 ? 'hold grants' : `grants at ${countText(edge.resources)} resources`;
      return (
        <>
          {countText(edge.grants)} users, {countText(edge.allowed)} calls allowed, {countText(edge.denied)} denied
          <Text size="xs" c="dimmed" ff="monospace">
            {edge.granted_scopes.map((scope, nth) => (
              <span key={scope}>
                {nth > 0 && ' '}
                <Name>{scope}</Name>
              </span>
            ))}
          </Text>
        </>
      );
    },
  },
  {
    id: 'last',
    header: 'Last access',
    cell: ({
      row: {
        original: { edge },
      },
    }) => edge.type === 'connection' && (edge.last_access === null ? 'never' : <Moment at={edge.last_access} />),
  },
];

/** Columns that a phone has no room for. */
export const GRAPH_WIDE = ['last'];
