import { Table, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** What is known of one thing: a name and a value a row. */
export function Facts({ children }: { readonly children: ReactNode }) {
  return (
    <Table variant="vertical" layout="fixed" withTableBorder>
      <Table.Tbody>{children}</Table.Tbody>
    </Table>
  );
}

export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <Table.Tr>
      <Table.Th w={112}>{name}</Table.Th>
      <Table.Td style={{ overflowWrap: 'anywhere' }}>{children}</Table.Td>
    </Table.Tr>
  );
}

/** A part of a page or a drawer, under its title. */
export function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section>
      <Title order={2} mb={4}>
        {title}
      </Title>
      {children}
    </section>
  );
}
