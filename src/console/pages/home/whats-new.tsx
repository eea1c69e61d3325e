import { Button, Group, SegmentedControl, Text } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useChanges } from '../../api/changes.js';
import { useMoments } from '../../api/moment.js';
import { ChangeTable } from '../../display/changes/change-table.js';
import { Differences } from '../../display/changes/differences.js';
import { Moment } from '../../display/moment.js';
import { Empty } from '../../display/states.js';
import { Card } from './card.js';
import { SINCE } from './search.js';
import { useVisit } from './visits.js';

const route = getRouteApi('/');
const VISIT = 'visit';
const DEFAULT = '24h';
const CHANGES_SHOWN = 12;
const LABELS = { '24h': '24 hours', '7d': '7 days' } as const;

/** Shows what happened since somebody looked last with this browser, or in a time that the URL names. In the past nobody looked. */
export function WhatsNew() {
  const { against } = useMoments();
  return against === undefined ? <News /> : <Difference />;
}

function Difference() {
  return (
    <Card title="What changed" lines={16} error={null} onRetry={() => undefined}>
      <Differences />
    </Card>
  );
}

function News() {
  const { at } = useMoments();
  const { since } = route.useSearch();
  const navigate = route.useNavigate();
  const visit = useVisit();
  const before = visit.since === undefined || at !== undefined ? undefined : new Date(visit.since).toISOString();
  const asked = since ?? before ?? DEFAULT;
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useChanges({
    since: asked,
    limit: CHANGES_SHOWN,
  });
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
          data={[
            ...(at === undefined ? [{ value: VISIT, label: 'last visit' }] : []),
            ...SINCE.map((value) => ({ value, label: LABELS[value] })),
          ]}
          value={since ?? (at === undefined ? VISIT : DEFAULT)}
          onChange={(value) => void navigate({ search: { since: SINCE.find((one) => one === value) }, replace: true })}
        />
      }
    >
      {data && (
        <>
          <Group justify="space-between" mb={4} gap="xs" mih={26}>
            <Text size="xs" c="dimmed">
              {at !== undefined && `In the ${LABELS[since ?? DEFAULT]} before.`}
              {at === undefined && since !== undefined && `In the last ${LABELS[since]}.`}
              {at === undefined &&
                since === undefined &&
                before === undefined &&
                'This is your first visit: the last 24 hours.'}
              {since === undefined && before !== undefined && (
                <>
                  Since <Moment at={before} />.
                </>
              )}
              {data.incomplete && ' More happened than one answer examines: older lines may be missing.'}
            </Text>
            {at === undefined && since === undefined && data.lines.length > 0 && (
              <Button size="compact-xs" variant="subtle" onClick={visit.markSeen}>
                I have seen this
              </Button>
            )}
          </Group>
          {data.lines.length === 0 ? (
            <Empty title="Nothing new">No connection, grant, scope or agent appeared, grew or vanished.</Empty>
          ) : (
            <ChangeTable label="What is new" lines={data.lines} />
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
