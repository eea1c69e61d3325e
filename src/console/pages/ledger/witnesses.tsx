import { Alert, Table, Text } from '@mantine/core';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import type { LedgerState } from './state.js';

/** Says from where on the ledger is unwitnessed, and what follows from it. */
export function Unwitnessed({ of: { unwitnessed, size, witnesses } }: { readonly of: LedgerState }) {
  if (unwitnessed === 0n) return null;
  return (
    <Alert
      color="yellow"
      title={
        unwitnessed === size
          ? 'The ledger is unwitnessed'
          : `Unwitnessed: the last ${countText(unwitnessed)} of ${countText(size)} entries`
      }
    >
      {unwitnessed === size
        ? 'Nobody outside has cosigned a checkpoint. Whoever holds both the database and the key of the ledger could show one person other entries than the next, until the two compare checkpoints.'
        : `A witness has cosigned the entries before entry ${countText(size - unwitnessed)}. The ones from there on have been seen by this service alone.`}{' '}
      {witnesses.length === 0 && 'Name witnesses in WITNESSES, and keep a checkpoint elsewhere.'}
    </Alert>
  );
}

/** The witnesses that are asked, with the size that each has cosigned. */
export function Witnesses({ of: { witnesses } }: { readonly of: LedgerState }) {
  if (witnesses.length === 0)
    return (
      <Text size="sm" c="dimmed">
        None is asked to cosign this ledger.
      </Text>
    );
  return (
    <Table aria-label="Witnesses" withTableBorder>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Witness</Table.Th>
          <Table.Th scope="col" ta="right">
            Cosigned
          </Table.Th>
          <Table.Th scope="col" ta="right">
            Behind
          </Table.Th>
          <Table.Th scope="col" visibleFrom="sm">
            Last
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {witnesses.map(({ name, size, behind, at }) => (
          <Table.Tr key={name}>
            <Table.Td>
              <Name>{name}</Name>
            </Table.Td>
            <Table.Td ta="right">{countText(size)}</Table.Td>
            <Table.Td ta="right">{countText(behind)}</Table.Td>
            <Table.Td visibleFrom="sm">{at === null ? 'never' : <Moment at={at} />}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
