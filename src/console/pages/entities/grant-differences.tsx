import { Button, Group, Stack, Table, Text } from '@mantine/core';
import { useMemo } from 'react';
import { useMoment } from '../../api/moment.js';
import { problemOf } from '../../api/problem.js';
import { ChangedScopes } from '../../display/changes/change-table.js';
import { ORDER, TITLES } from '../../display/changes/differences.js';
import { EntityLink } from '../../display/entity-link.js';
import { Part } from '../../display/facts.js';
import { countText } from '../../display/numbers.js';
import { Failed, Loading } from '../../display/states.js';
import { compareGrants, type GrantDifference } from './compare.js';
import { othersOfGrant } from './connections.js';
import { useGrants } from './queries.js';

interface GrantDifferencesProps {
  readonly kind: 'user' | 'agent';
  readonly id: string;
  readonly against: string;
}

/** Lists which grants of a user or an agent are new, gone and grown between two moments. */
export function GrantDifferences({ kind, id, against }: GrantDifferencesProps) {
  const before = useGrants(kind, id, { as_of: against });
  const after = useGrants(kind, id, useMoment());
  const wasUnknown = before.error !== null && problemOf(before.error).code === 'not-found';
  const earlier = wasUnknown ? NONE : before.data;
  const differences = useMemo(
    () =>
      earlier &&
      after.data &&
      compareGrants({ items: earlier, hasMore: before.hasNextPage }, { items: after.data, hasMore: after.hasNextPage }),
    [earlier, before.hasNextPage, after.data, after.hasNextPage],
  );
  const failed = [wasUnknown ? undefined : before, after].find((one) => one?.error != null && one.data === undefined);
  if (failed !== undefined) return <Failed error={failed.error} reset={() => void failed.refetch()} />;
  if (differences === undefined) return <Loading />;
  const unread = [before, after].filter(({ hasNextPage }) => hasNextPage);
  return (
    <Stack gap="lg">
      {ORDER.map((difference) => (
        <Lines
          key={difference}
          difference={difference}
          kind={kind}
          lines={differences.filter((one) => one.difference === difference)}
          isPart={unread.length > 0}
        />
      ))}
      {unread.length > 0 && (
        <Group gap="xs">
          <Text size="xs" c="dimmed">
            {countText(Math.min(...unread.map(({ data }) => data?.length ?? 0)))} grants of each moment are compared;
            there are more.
          </Text>
          <Button
            variant="default"
            loading={unread.some(({ isFetchingNextPage }) => isFetchingNextPage)}
            onClick={() => unread.forEach(({ fetchNextPage }) => void fetchNextPage())}
          >
            Compare more
          </Button>
        </Group>
      )}
    </Stack>
  );
}

const NONE: [] = [];

interface LinesProps extends Pick<GrantDifferencesProps, 'kind'> {
  readonly difference: (typeof ORDER)[number];
  readonly lines: readonly GrantDifference[];
  readonly isPart: boolean;
}

function Lines({ difference, kind, lines, isPart }: LinesProps) {
  const title = TITLES[difference];
  return (
    <Part title={title} count={lines.length} atLeast={isPart}>
      {lines.length === 0 ? (
        <Text size="sm" c="dimmed">
          {NOTHING_GRANTED[difference]}
        </Text>
      ) : (
        <Table aria-label={title} layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">With</Table.Th>
              <Table.Th scope="col">What</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {lines.map((line) => (
              <Table.Tr key={line.key} style={{ verticalAlign: 'top' }}>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>
                  {othersOfGrant(kind)(line.grant).map((entity) => (
                    <div key={entity.kind}>
                      <EntityLink entity={entity} withKind />
                    </div>
                  ))}
                </Table.Td>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>
                  <What of={line} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Part>
  );
}

const NOTHING_GRANTED = {
  new: 'No grant appeared.',
  gone: 'No grant is gone.',
  grown: 'No grant has other scopes or another agent, and none was used in a new way.',
} as const;

function What({ of: { difference, added, removed, usedFirst, hasOtherAgent } }: { readonly of: GrantDifference }) {
  if (difference !== 'grown')
    return (
      <>
        {difference === 'new' ? 'New grant' : 'Grant is gone'} <ChangedScopes added={added} />
      </>
    );
  return (
    <>
      {added.length + removed.length > 0 && (
        <div>
          Granted <ChangedScopes added={added} removed={removed} />
        </div>
      )}
      {usedFirst.length > 0 && (
        <div>
          Used first <ChangedScopes added={usedFirst} />
        </div>
      )}
      {hasOtherAgent && <div>Another agent acts with it</div>}
    </>
  );
}
