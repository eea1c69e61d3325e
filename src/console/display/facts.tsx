import { Group, Table, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { countText } from './numbers.js';

/** Shows what is known of one thing: a name and a value a row. */
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
      <Table.Th w={124}>{name}</Table.Th>
      <Table.Td style={{ overflowWrap: 'anywhere' }}>{children}</Table.Td>
    </Table.Tr>
  );
}

interface PartProps {
  readonly title: string;
  readonly count?: number | undefined;
  /** Whether the count is a lower bound. */
  readonly atLeast?: boolean | undefined;
  /** Stands at the end of the title's line. */
  readonly beside?: ReactNode;
  readonly children: ReactNode;
}

/** A part of a page or a drawer, under its title. */
export function Part({ title, count, atLeast = false, beside, children }: PartProps) {
  return (
    <section aria-label={title}>
      <Group justify="space-between" align="flex-end" gap="xs" mb={6}>
        <Group gap="xs" align="baseline">
          <Title order={2}>{title}</Title>
          {count !== undefined && (
            <Text span size="sm" c="dimmed">
              {atLeast && 'at least '}
              {countText(count)}
            </Text>
          )}
        </Group>
        {beside}
      </Group>
      {children}
    </section>
  );
}
