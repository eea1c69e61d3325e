import { Group, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { Children, type ReactNode } from 'react';
import { OfNow } from '../../display/past/of-now.js';
import { Failed } from '../../display/states.js';

interface CardProps {
  readonly title: string;
  /** Whether it is about now also while the page shows the past. */
  readonly isOfNow?: boolean;
  /** Beside the title: a count, a link. */
  readonly aside?: ReactNode;
  /** Lines that are expected, whose room is kept until the answer is here. */
  readonly lines: number;
  readonly error: unknown;
  readonly onRetry: () => void;
  /** Undefined while there is no answer. */
  readonly children: ReactNode | undefined;
}

const LINE_PX = 36;

/** A part of the page that answers one question. An answer that is here stays until a newer one is. */
export function Card({ title, isOfNow = false, aside, lines, error, onRetry, children }: CardProps) {
  const isAnswered = Children.toArray(children).length > 0;
  return (
    <Paper withBorder p="sm" component="section" aria-label={title}>
      <Group justify="space-between" mb="xs" gap="xs">
        <Group gap="xs" align="baseline">
          <Title order={2}>{title}</Title>
          {isOfNow && <OfNow />}
        </Group>
        <Text size="sm" c="dimmed" component="div">
          {aside}
        </Text>
      </Group>
      {isAnswered ? children : error ? <Failed error={error} reset={onRetry} /> : <Awaited lines={lines} />}
    </Paper>
  );
}

function Awaited({ lines }: { readonly lines: number }) {
  return (
    <Stack gap={0} role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, nth) => (
        <Skeleton key={nth} h={LINE_PX - 12} my={6} animate={false} />
      ))}
    </Stack>
  );
}
