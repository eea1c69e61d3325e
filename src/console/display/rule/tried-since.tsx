import { Alert, Anchor, Stack, Table, Text } from '@mantine/core';
import type { Incident } from '../../api/rules.js';
import { Moment } from '../moment.js';
import { Name } from '../name.js';
import { countText } from '../numbers.js';

const SHOWN = 10;

/** Says what was tried since the rule began to count: refused, and served all the same. */
export function TriedSince({ incident: { after } }: { readonly incident: Incident }) {
  const { denied, allowed, newest, at_least, last } = after;
  const bound = at_least === true ? 'at least ' : '';
  const calls = (count: number): string => `${bound}${countText(count)} ${count === 1 ? 'call' : 'calls'}`;
  return (
    <Stack gap="xs">
      {allowed > 0 && (
        <Alert color="red" title={`${calls(allowed)} served all the same`}>
          A resource let in a token that this rule stops. It does not ask Rescind, or it did not ask in time.
        </Alert>
      )}
      <Text aria-label="Refused since">
        <Text span fw={600}>
          {calls(denied)}
        </Text>{' '}
        refused, as resources reported
        {last === null ? '.' : '. The last call: '}
        {last !== null && <Moment at={last} />}
      </Text>
      {newest.length > 0 && <Calls newest={newest.slice(0, SHOWN)} />}
    </Stack>
  );
}

function Calls({ newest }: { readonly newest: Incident['after']['newest'] }) {
  return (
    <Table aria-label="Calls since the order" withTableBorder>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">When</Table.Th>
          <Table.Th scope="col">Resource</Table.Th>
          <Table.Th scope="col" visibleFrom="sm">
            Operation
          </Table.Th>
          <Table.Th scope="col">Outcome</Table.Th>
          <Table.Th scope="col" ta="right">
            Calls
          </Table.Th>
          <Table.Th scope="col" ta="right" visibleFrom="sm">
            Entry
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {newest.map(({ index, at, resource, operation, outcome, count }) => (
          <Table.Tr key={index}>
            <Table.Td>
              <Moment at={at} stacked />
            </Table.Td>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{resource && <Name>{resource.uri}</Name>}</Table.Td>
            <Table.Td visibleFrom="sm">{operation}</Table.Td>
            <Table.Td>
              <Text inherit fw={600} c={outcome === 'allowed' ? 'red' : undefined}>
                {outcome === 'denied' ? 'refused' : 'served'}
              </Text>
            </Table.Td>
            <Table.Td ta="right">{countText(count)}</Table.Td>
            <Table.Td ta="right" visibleFrom="sm">
              <Anchor href={`/v1/entries/${index}`} target="_blank" inherit underline="always">
                {index}
              </Anchor>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
