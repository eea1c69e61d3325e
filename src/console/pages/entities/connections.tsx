import { Group, Text } from '@mantine/core';
import { DataTable, type Columns } from '../../display/data-table.js';
import { EntityLink } from '../../display/entity-link.js';
import { Part } from '../../display/facts.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { Failed, Loading } from '../../display/states.js';
import type { Kind } from './kinds.js';
import { useConnections, useGrants, type Tie } from './queries.js';

/** The grants that name the entity, with granted and unused scopes. */
export function Grants({ kind, id }: { readonly kind: Kind; readonly id: string }) {
  return <Ties title="Grants" ties={useGrants(kind, id)} />;
}

/** The connections of a client or a resource: its grants, added up over users. */
export function Connections({ kind, id }: { readonly kind: 'client' | 'resource'; readonly id: string }) {
  return <Ties title="Connections" ties={useConnections(kind, id)} columns={CONNECTION_COLUMNS} />;
}

function Ties({
  title,
  ties: { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch },
  columns = GRANT_COLUMNS,
}: {
  readonly title: string;
  readonly ties: ReturnType<typeof useGrants> | ReturnType<typeof useConnections>;
  readonly columns?: Columns<Tie>;
}) {
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  return (
    <Part title={title}>
      {data.length === 0 ? (
        <Text size="sm" c="dimmed">
          None.
        </Text>
      ) : (
        <DataTable
          label={title}
          rows={data}
          columns={columns}
          wide={WIDE}
          keyOf={keyOf}
          onEnd={() => void (hasNextPage && !isFetchingNextPage && fetchNextPage())}
        />
      )}
    </Part>
  );
}

const keyOf = ({ key }: Tie): string => key;
/** Columns that a phone has no room for. */
const WIDE = ['users', 'last_used'];

const WITH: Columns<Tie>[number] = {
  id: 'with',
  header: 'With',
  cell: ({ row }) =>
    row.original.others.map((entity) => (
      <div key={entity.kind}>
        <EntityLink entity={entity} withKind />
      </div>
    )),
};
const SCOPES: Columns<Tie>[number] = {
  id: 'scopes',
  header: 'Scopes, those never used struck out',
  cell: ({ row: { original } }) => (
    <Group gap={8}>
      {original.granted.map((scope) => (
        <Text
          span
          size="xs"
          key={scope}
          ff="monospace"
          {...(original.unused.includes(scope) ? { c: 'dimmed', td: 'line-through', title: 'never used' } : {})}
        >
          <Name>{scope}</Name>
        </Text>
      ))}
    </Group>
  ),
};
const USERS: Columns<Tie>[number] = {
  id: 'users',
  header: () => (
    <Text inherit ta="right">
      Users
    </Text>
  ),
  cell: ({ row }) => (
    <Text inherit ta="right">
      {countText(row.original.users!)}
    </Text>
  ),
};
const LAST_USE: Columns<Tie>[number] = {
  id: 'last_used',
  header: 'Last use',
  cell: ({ row: { original } }) =>
    original.lastUsed === null ? (
      <Text inherit c="dimmed">
        never
      </Text>
    ) : (
      <Moment at={original.lastUsed} />
    ),
};
const GRANT_COLUMNS = [WITH, SCOPES, LAST_USE];
const CONNECTION_COLUMNS = [WITH, SCOPES, USERS, LAST_USE];
