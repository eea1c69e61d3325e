import { Paper, SimpleGrid, Text } from '@mantine/core';
import { PageLink } from '../../display/page-link.js';
import type { ExploreSearch } from './question/search.js';

interface Start {
  readonly title: string;
  readonly why: string;
  readonly search: ExploreSearch;
}

const WEEK = { from: '7d' } as const;

/** Questions to begin with. */
const STARTS: readonly Start[] = [
  {
    title: 'Who exported most?',
    why: 'Exports of the last week by user and resource, with the records that left.',
    search: {
      ...WEEK,
      measures: ['records', 'calls'],
      by: ['user', 'resource'],
      filter: { operation: { equals: 'export' } },
    },
  },
  {
    title: 'What grew most?',
    why: 'Calls of each client this week, against the week before.',
    search: { ...WEEK, measures: ['calls', 'users'], by: ['client'], compare: { from: '14d', to: '7d' } },
  },
  {
    title: 'Who is refused?',
    why: 'Refusals of the last week by client and resource. A client that tries doors shows here.',
    search: {
      ...WEEK,
      measures: ['denied', 'users'],
      by: ['client', 'resource'],
      filter: { outcome: { equals: 'denied' } },
    },
  },
  {
    title: 'When do calls come?',
    why: 'Allowed and denied calls of the last week, hour by hour.',
    search: { ...WEEK, measures: ['calls'], by: ['hour', 'outcome'] },
  },
  {
    title: 'Does anything work at night?',
    why: 'Calls by weekday and hour of the day over the last month.',
    search: { measures: ['calls'], by: ['weekday', 'hour_of_day'], limit: 1_000 },
  },
  {
    title: 'Which agents reach the most people?',
    why: 'Agents by the users in whose name they acted, with their last use.',
    search: { ...WEEK, measures: ['users', 'calls', 'last_use'], by: ['agent', 'client'] },
  },
];

/** Offers questions on the page that asks nothing yet. */
export function Starts() {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="xs" role="group" aria-label="Questions to begin with">
      {STARTS.map(({ title, why, search }) => (
        <Paper key={title} withBorder p="sm">
          <PageLink from="/explore" to="/explore" search={(before) => ({ ...before, ...search })} fw={600} size="sm">
            {title}
          </PageLink>
          <Text size="xs" c="dimmed">
            {why}
          </Text>
        </Paper>
      ))}
    </SimpleGrid>
  );
}
