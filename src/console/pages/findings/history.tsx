import { Group, Stack, Text } from '@mantine/core';
import { Author } from '../../display/author.js';
import { Moment } from '../../display/moment.js';
import { Failed, Loading } from '../../display/states.js';
import { Sentence } from '../../display/name.js';
import { useFindingChanges } from './queries.js';

/** Lists what people said of a finding, the newest first. */
export function History({ id }: { readonly id: string }) {
  const { data, error, isPending, refetch } = useFindingChanges(id);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  if (data.items.length === 0)
    return (
      <Text size="sm" c="dimmed">
        Nobody has said anything of this finding yet.
      </Text>
    );
  return (
    <Stack gap="xs" component="ol" m={0} p={0} style={{ listStyle: 'none' }}>
      {data.items.map(({ nth, state, reason, until, same, by, at }) => (
        <li key={nth}>
          <Group gap={6} justify="space-between" wrap="nowrap" align="baseline">
            <Text size="sm">
              <b>{state}</b> by <Author of={by} />
              {until !== null && (
                <>
                  {' '}
                  until <Moment at={until} />
                </>
              )}
              {same.length > 0 && `, for each of the kind with the same ${same.join(', ')}`}
            </Text>
            <Text size="xs" c="dimmed">
              <Moment at={at} />
            </Text>
          </Group>
          {reason !== null && (
            <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              <Sentence>{reason}</Sentence>
            </Text>
          )}
        </li>
      ))}
      {data.next !== undefined && (
        <Text size="xs" c="dimmed">
          There are older changes.
        </Text>
      )}
    </Stack>
  );
}
