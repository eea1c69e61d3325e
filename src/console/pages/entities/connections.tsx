import { Button, Group, Table, Text } from '@mantine/core';
import { EntityLink } from '../../display/entity-link.js';
import { Part } from '../../display/facts.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { Failed, Loading } from '../../display/states.js';
import type { Kind } from './kinds.js';
import { useConnections, useGrants, type Tie } from './queries.js';

/** The grants of a user or an agent, or the connections of a client or a resource, with granted and unused scopes. */
export function Connections({ kind, id }: { readonly kind: Kind; readonly id: string }) {
  return kind === 'user' || kind === 'agent' ? <Grants kind={kind} id={id} /> : <Connected kind={kind} id={id} />;
}

function Grants({ kind, id }: { readonly kind: 'user' | 'agent'; readonly id: string }) {
  return <Ties title="Grants" ties={useGrants(kind, id)} />;
}

function Connected({ kind, id }: { readonly kind: 'client' | 'resource'; readonly id: string }) {
  return <Ties title="Connections" ties={useConnections(kind, id)} />;
}

function Ties({
  title,
  ties: { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch },
}: {
  readonly title: string;
  readonly ties: ReturnType<typeof useGrants> | ReturnType<typeof useConnections>;
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
        <>
          <Table aria-label={title} verticalSpacing={4}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>With</Table.Th>
                <Table.Th>Scopes, those never used struck out</Table.Th>
                {data[0]!.users !== undefined && (
                  <Table.Th ta="right" visibleFrom="md">
                    Users
                  </Table.Th>
                )}
                <Table.Th visibleFrom="md">Last use</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.map((tie) => (
                <Row key={tie.key} tie={tie} />
              ))}
            </Table.Tbody>
          </Table>
          {hasNextPage && (
            <Button
              variant="default"
              size="xs"
              mt="xs"
              loading={isFetchingNextPage}
              onClick={() => void fetchNextPage()}
            >
              Show more
            </Button>
          )}
        </>
      )}
    </Part>
  );
}

function Row({ tie: { others, granted, unused, users, lastUsed } }: { readonly tie: Tie }) {
  return (
    <Table.Tr>
      <Table.Td>
        {others.map((entity) => (
          <div key={entity.kind}>
            <EntityLink entity={entity} withKind />
          </div>
        ))}
      </Table.Td>
      <Table.Td>
        <Group gap={8}>
          {granted.map((scope) => (
            <Text
              span
              size="xs"
              key={scope}
              ff="monospace"
              {...(unused.includes(scope) ? { c: 'dimmed', td: 'line-through', title: 'never used' } : {})}
            >
              <Name>{scope}</Name>
            </Text>
          ))}
        </Group>
      </Table.Td>
      {users !== undefined && (
        <Table.Td ta="right" visibleFrom="md">
          {countText(users)}
        </Table.Td>
      )}
      <Table.Td visibleFrom="md">
        {lastUsed === null ? (
          <Text inherit c="dimmed">
            never
          </Text>
        ) : (
          <Moment at={lastUsed} />
        )}
      </Table.Td>
    </Table.Tr>
  );
}
