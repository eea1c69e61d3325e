import { Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { countText } from '../../display/numbers.js';

interface PartProps {
  readonly title: string;
  readonly count?: number | undefined;
  /** Whether the count is a lower bound. */
  readonly atLeast?: boolean | undefined;
  /** Stands at the end of the title's line. */
  readonly beside?: ReactNode;
  readonly children: ReactNode;
}

/** A part of a page under its title. */
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
