import { Text } from '@mantine/core';
import { useMoment } from '../../api/moment.js';
import { Count, Faint, Several } from '../../display/cells.js';
import { DataTable, type Columns } from '../../display/data-table.js';
import type { Entity } from '../../display/entity.js';
import { EntityLink } from '../../display/entity-link.js';
import { Part } from '../../display/facts.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { Failed, Loading } from '../../display/states.js';
import type { Kind } from './kinds.js';
import { useConnections, useGrants, type Connection, type Grant } from './queries.js';
import classes from '../../display/cells.module.css';

/** The grants that name the entity, with granted and unused scopes. */
export function Grants({ kind, id }: { readonly kind: Kind; readonly id: string }) {
  return <Ties title="Grants" ties={useGrants(kind, id, useMoment())} columns={GRANT_COLUMNS[kind]} keyOf={grantKey} />;
}

/** The connections of a client or a resource: its grants, added up over users. */
export function Connections({ kind, id }: { readonly kind: 'client' | 'resource'; readonly id: string }) {
  return (
    <Ties
      title="Connections"
      ties={useConnections(kind, id)}
      columns={CONNECTION_COLUMNS[kind]}
      keyOf={connectionKey}
    />
  );
}

interface TiesProps<Tie> {
  readonly title: string;
  readonly ties: {
    readonly data: readonly Tie[] | undefined;
    readonly error: unknown;
    readonly isPending: boolean;
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly fetchNextPage: () => unknown;
    readonly refetch: () => unknown;
  };
  readonly columns: Columns<Tie & object>;
  readonly keyOf: (tie: Tie) => string;
}

function Ties<Tie extends object>({
  title,
  ties: { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch },
  columns,
  keyOf,
}: TiesProps<Tie>) {
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

const grantKey = ({ user, client, resource }: Grant): string => `${user.entity} ${client.entity} ${resource.entity}`;
const connectionKey = ({ id }: Connection): string => id;
/** Columns that a phone has no room for. */
const WIDE = ['users', 'last_used'];

const agentOf = ({ agent }: Grant | Connection): Entity[] => (agent === null ? [] : [{ kind: 'agent', is: agent }]);

/** Everybody whom a grant names but the entity of the page. A list may have 100,000 grants, so this is done for those in sight. */
export const othersOfGrant =
  (kind: Kind) =>
  (one: Grant): readonly Entity[] =>
    [
      { kind: 'user', is: one.user } as const,
      ...agentOf(one),
      { kind: 'client', is: one.client } as const,
      { kind: 'resource', is: one.resource } as const,
    ].filter((other) => other.kind !== kind);
const othersOfConnection =
  (kind: 'client' | 'resource') =>
  (one: Connection): readonly Entity[] => [
    kind === 'client' ? { kind: 'resource', is: one.resource } : { kind: 'client', is: one.idp_client },
    ...agentOf(one),
  ];

const USED = `${classes.small} ${classes.mono}`;
const UNUSED = `${USED} ${classes.faint} ${classes.unused}`;

const columnsOf = <Tie extends Grant | Connection>(
  othersOf: (tie: Tie) => readonly Entity[],
  more: Columns<Tie> = [],
): Columns<Tie> => [
  {
    id: 'with',
    header: 'With',
    cell: ({ row }) =>
      othersOf(row.original).map((entity) => (
        <div key={entity.kind}>
          <EntityLink entity={entity} withKind />
        </div>
      )),
  },
  {
    id: 'scopes',
    header: 'Scopes, those never used struck out',
    cell: ({ row: { original } }) => (
      <Several>
        {original.granted_scopes.map((scope) => (
          <span
            key={scope}
            {...(original.unused_scopes.includes(scope)
              ? { className: UNUSED, title: 'never used' }
              : { className: USED })}
          >
            <Name>{scope}</Name>
          </span>
        ))}
      </Several>
    ),
  },
  ...more,
  {
    id: 'last_used',
    header: 'Last use',
    cell: ({ row: { original } }) =>
      original.last_used === null ? <Faint>never</Faint> : <Moment at={original.last_used} />,
  },
];
const USERS: Columns<Connection> = [
  {
    id: 'users',
    header: () => (
      <Text inherit ta="right">
        Users
      </Text>
    ),
    cell: ({ row }) => <Count of={row.original.users} />,
  },
];
const GRANT_COLUMNS: Readonly<Record<Kind, Columns<Grant>>> = {
  user: columnsOf(othersOfGrant('user')),
  client: columnsOf(othersOfGrant('client')),
  agent: columnsOf(othersOfGrant('agent')),
  resource: columnsOf(othersOfGrant('resource')),
};
const CONNECTION_COLUMNS = {
  client: columnsOf(othersOfConnection('client'), USERS),
  resource: columnsOf(othersOfConnection('resource'), USERS),
};
