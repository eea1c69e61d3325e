import { Button, Group, SegmentedControl, Table, Text } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { Moment } from '../../display/moment.js';
import { Empty } from '../../display/states.js';
import { Card } from './card.js';
import { ChangeRow, gather } from './change-line.js';
import { useChanges } from './queries.js';
import { SINCE } from './search.js';
import { useVisit } from './visits.js';

const route = getRouteApi('/');
const VISIT = 'visit';
const LABELS = { '24h': '24 hours', '7d': '7 days' } as const;

/** Shows what happened since somebody looked last with this browser, or in a time that the URL names. */
export function WhatsNew() {
  const { since } = route.useSearch();
  const navigate = route.useNavigate();
  const visit = useVisit();
  const before = visit.since === undefined ? undefined : new Date(visit.since).toISOString();
  const asked = since ?? before ?? '24h';
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useChanges(asked);
  return (
    <Card
      title="What is new"
      lines={16}
      error={error}
      onRetry={() => void refetch()}
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Since"
          data={[{ value: VISIT, label: 'last visit' }, ...SINCE.map((value) => ({ value, label: LABELS[value] }))]}
          value={since ?? VISIT}
          onChange={(value) => void navigate({ search: { since: SINCE.find((one) => one === value) }, replace: true })}
        />
      }
    >
      {data && (
        <>
          <Group justify="space-between" mb={4} gap="xs" mih={26}>
            <Text size="xs" c="dimmed">
              {since !== undefined && `In the last ${LABELS[since]}.`}
              {since === undefined && before === undefined && 'This is your first visit: the last 24 hours.'}
              {since === undefined && before !== undefined && (
                <>
                  Since <Moment at={before} />.
                </>
              )}
              {data.incomplete && ' More happened than one answer examines: older lines may be missing.'}
            </Text>
            {since === undefined && data.lines.length > 0 && (
              <Button size="compact-xs" variant="subtle" onClick={visit.markSeen}>
                I have seen this
              </Button>
            )}
          </Group>
          {data.lines.length === 0 ? (
            <Empty title="Nothing new">No connection, grant, scope or agent appeared, grew or vanished.</Empty>
          ) : (
            <Table aria-label="What is new" layout="fixed">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th scope="col">Who</Table.Th>
                  <Table.Th scope="col">What</Table.Th>
                  <Table.Th scope="col" visibleFrom="md" w={120}>
                    When
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {gather(data.lines).map((of) => (
                  <ChangeRow key={of.key} of={of} />
                ))}
              </Table.Tbody>
            </Table>
          )}
          {hasNextPage && (
            <Button mt="xs" variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              Older ones
            </Button>
          )}
        </>
      )}
    </Card>
  );
}
