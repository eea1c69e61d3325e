import { Button, Group, SegmentedControl, Stack, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { Moment } from '../../display/moment.js';
import { countText } from '../../display/numbers.js';
import { PageLink } from '../../display/page-link.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { Sentence } from '../../display/name.js';
import { useDeliveries, useReplay, type Delivery, type DeliveryState } from './queries.js';

type Shown = DeliveryState | 'any';
const SHOWN: readonly Shown[] = ['any', 'waiting', 'delivered', 'dead'];

export function Deliveries({ name, dead }: { readonly name: string; readonly dead: number }) {
  const [shown, setShown] = useState<Shown>('any');
  const replay = useReplay();
  const send = (body: { delivery: string } | { state: 'dead' }): void =>
    replay.mutate({ params: { path: { name } }, body });
  return (
    <Stack gap="xs">
      <Group gap="xs" justify="space-between">
        <SegmentedControl
          size="xs"
          aria-label="Deliveries shown"
          data={[...SHOWN]}
          value={shown}
          onChange={(value) => setShown(value as Shown)}
        />
        {dead > 0 && (
          <Button variant="default" loading={replay.isPending} onClick={() => send({ state: 'dead' })}>
            Send {countText(dead)} dead again
          </Button>
        )}
      </Group>
      {replay.error !== null && <Failed error={replay.error} />}
      <DeliveryList
        name={name}
        state={shown === 'any' ? undefined : shown}
        onReplay={(delivery) => send({ delivery })}
      />
    </Stack>
  );
}

interface DeliveryListProps {
  readonly name: string;
  readonly state: DeliveryState | undefined;
  readonly onReplay: (id: string) => void;
}

function DeliveryList({ name, state, onReplay }: DeliveryListProps) {
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useDeliveries(
    name,
    state,
  );
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  if (data.length === 0) return <Empty title="No delivery">Findings that change are delivered from now on.</Empty>;
  return (
    <>
      <Table aria-label="Deliveries">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">News</Table.Th>
            <Table.Th scope="col">State</Table.Th>
            <Table.Th scope="col" ta="right">
              Attempts
            </Table.Th>
            <Table.Th scope="col" aria-label="Send again" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {data.map((delivery) => (
            <DeliveryRow key={delivery.id} of={delivery} onReplay={onReplay} />
          ))}
        </Table.Tbody>
      </Table>
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Older ones
        </Button>
      )}
    </>
  );
}

function DeliveryRow({ of, onReplay }: { readonly of: Delivery; readonly onReplay: (id: string) => void }) {
  const { id, finding, type, at, state, attempts, next_at, status, problem } = of;
  return (
    <Table.Tr style={{ verticalAlign: 'top' }}>
      <Table.Td>
        <PageLink to="/findings" search={{ finding }} inherit>
          {type.replace(/^finding\./, '')}
        </PageLink>
        <Text size="xs" c="dimmed">
          <Moment at={at} stacked />
        </Text>
      </Table.Td>
      <Table.Td style={{ overflowWrap: 'anywhere' }}>
        <Text inherit {...(state === 'dead' ? { c: 'red', fw: 600 } : {})}>
          {state}
          {status !== null && ` · ${status}`}
        </Text>
        {problem !== null && (
          <Text size="xs" c="dimmed">
            <Sentence>{problem}</Sentence>
          </Text>
        )}
        {next_at !== null && (
          <Text size="xs" c="dimmed">
            again <Moment at={next_at} />
          </Text>
        )}
      </Table.Td>
      <Table.Td ta="right">{countText(attempts)}</Table.Td>
      <Table.Td ta="right">
        <Button size="compact-xs" variant="default" aria-label={`Send ${id} again`} onClick={() => onReplay(id)}>
          Again
        </Button>
      </Table.Td>
    </Table.Tr>
  );
}
