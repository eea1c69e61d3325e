import { Paper, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useMoments } from '../../api/moment.js';
import { countText } from '../../display/numbers.js';
import { Failed } from '../../display/states.js';
import { HourBars } from './hour-bars.js';
import { useCalls, useLiveCounts } from './queries.js';

/** Shows what is live now, and the calls of the last day. Live tokens of the past are not counted. */
export function Now() {
  const counts = useLiveCounts();
  const calls = useCalls();
  const { at } = useMoments();
  const isPast = at !== undefined;
  const live = counts.data;
  const total = calls.data?.total;
  return (
    <Paper withBorder p="sm" component="section" aria-label={isPast ? 'Then' : 'Now'}>
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm" style={{ alignItems: 'end' }}>
        {!isPast && (
          <>
            <Figure name="live tokens" value={live?.tokens} error={counts.error} />
            <Figure name="used in the last hour" value={live?.used_in_last_hour} error={counts.error} />
            <Figure name="users with a grant" value={live?.users} error={counts.error} />
          </>
        )}
        <Figure
          name={isPast ? 'calls in the 24 hours before' : 'calls in 24 hours'}
          value={total?.accesses}
          error={calls.error}
        />
        <Figure name="of them refused" value={total?.denied} error={calls.error} />
        <HourBars hours={calls.data} />
      </SimpleGrid>
      {!isPast && live === undefined && counts.error !== null && (
        <Failed error={counts.error} reset={() => void counts.refetch()} />
      )}
      {total === undefined && calls.error !== null && <Failed error={calls.error} reset={() => void calls.refetch()} />}
    </Paper>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: number | 'uncounted' | undefined;
  readonly error: unknown;
}

function Figure({ name, value, error }: FigureProps): ReactNode {
  return (
    <Stack gap={0}>
      <Text size="xl" fw={600} lh={1.3} component="div">
        {value === undefined ? (
          error ? (
            '–'
          ) : (
            <Skeleton h={20} my={4} w={56} animate={false} />
          )
        ) : typeof value === 'number' ? (
          countText(value)
        ) : (
          value
        )}
      </Text>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
    </Stack>
  );
}
