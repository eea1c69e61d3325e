import { Button, Stack, Text } from '@mantine/core';
import { useDifference, type Difference } from '../../api/changes.js';
import { Part } from '../facts.js';
import { countText } from '../numbers.js';
import { Failed, Loading } from '../states.js';
import { ChangeTable } from './change-table.js';

export const TITLES: Readonly<Record<Difference, string>> = { new: 'New', gone: 'Gone', grown: 'Grown or changed' };
const NOTHING: Readonly<Record<Difference, string>> = {
  new: 'No connection, grant, user or agent appeared.',
  gone: 'No connection vanished.',
  grown: 'No connection changed, and no grant or scope came to those that there were.',
};
export const ORDER = ['new', 'gone', 'grown'] as const satisfies readonly Difference[];
const SHOWN = 20;

interface DifferencesProps {
  /** Only of this client or resource. */
  readonly client?: number;
  readonly resource?: string;
}

/** Shows what is new, gone and grown between the two moments that the URL names. */
export function Differences(props: DifferencesProps) {
  return (
    <Stack gap="lg">
      {ORDER.map((difference) => (
        <Lines key={difference} difference={difference} {...props} />
      ))}
    </Stack>
  );
}

function Lines({ difference, ...filter }: DifferencesProps & { readonly difference: Difference }) {
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useDifference(
    difference,
    { ...filter, limit: SHOWN },
  );
  const title = TITLES[difference];
  return (
    <Part title={title} count={data?.lines.length} atLeast={hasNextPage || data?.incomplete}>
      {isPending && <Loading />}
      {!isPending && data === undefined && <Failed error={error} reset={() => void refetch()} />}
      {data?.lines.length === 0 && (
        <Text size="sm" c="dimmed">
          {NOTHING[difference]}
        </Text>
      )}
      {data && data.lines.length > 0 && <ChangeTable label={title} lines={data.lines} />}
      {data?.incomplete && (
        <Text size="xs" c="dimmed" mt="xs">
          More happened than one answer examines: older lines may be missing. Compare moments that lie nearer together.
        </Text>
      )}
      {hasNextPage && (
        <Button mt="xs" variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Older ones after {countText(data?.lines.length ?? 0)}
        </Button>
      )}
    </Part>
  );
}
