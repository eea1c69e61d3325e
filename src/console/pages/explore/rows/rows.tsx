import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { DataTable } from '../../../display/data-table.js';
import { EvidenceOfRows } from '../../../display/evidence/evidence-button.js';
import { EntryFacts } from '../../../display/entry/entry.js';
import { countText } from '../../../display/numbers.js';
import { PageLink } from '../../../display/page-link.js';
import { SideDrawer } from '../../../display/degraded/side-drawer.js';
import { Empty, Failed, Loading } from '../../../display/states.js';
import { Covered } from '../answer/covered.js';
import { filterOfRows } from '../question/question.js';
import type { Filter } from '../question/vocabulary.js';
import { conditionsOf } from '../question/words.js';
import { useRows, type Row } from '../question/queries.js';
import type { ExploreSearch } from '../question/search.js';
import { RowsShare } from '../share/rows-share.js';
import { COLUMNS, WIDE } from './columns.js';
import { RowCondition } from './row-condition.js';

const route = getRouteApi('/explore');
const keyOf = ({ index }: Row): string => index;

interface RowsProps {
  readonly search: ExploreSearch;
  /** Conditions of the group. */
  readonly rows: Filter;
}

/** The uses behind a group, from which each leads to its entry in the ledger. */
export function Rows({ search, rows }: RowsProps) {
  const navigate = route.useNavigate();
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="xs" align="flex-end">
        <div>
          <PageLink
            from="/explore"
            to="/explore"
            search={(before) => ({ ...before, rows: undefined, entry: undefined })}
            size="sm"
          >
            ← Back to the groups
          </PageLink>
          <Title order={1}>Uses</Title>
        </div>
        <Group gap="xs">
          <Button
            variant="default"
            onClick={() =>
              void navigate({
                search: (before) => ({ ...before, filter: filterOfRows(search), rows: undefined, entry: undefined }),
              })
            }
          >
            Ask on within these
          </Button>
          <RowsShare search={search} />
        </Group>
      </Group>
      <Group gap={6} aria-label="Conditions" role="group">
        {conditionsOf({ ...search.filter, ...rows }).map((condition) => (
          <RowCondition key={`${condition.dimension} ${condition.member}`} of={condition} />
        ))}
      </Group>
      <RowTable search={search} />
      <EntryDrawer index={search.entry} />
    </Stack>
  );
}

function RowTable({ search }: { readonly search: ExploreSearch }) {
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useRows(search);
  const rows = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  if (rows.length === 0) return <Empty title="No use">No use in this window meets the conditions.</Empty>;
  const { window, as_of: asOf } = data.pages[0]!;
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Text size="sm" c="dimmed">
          {countText(rows.length)} {hasNextPage ? 'shown, more when you scroll' : 'in all'} ·{' '}
          <Covered window={window} to={search.to} index={asOf.index} />
        </Text>
        <EvidenceOfRows indexes={rows.map(keyOf)} />
      </Group>
      <DataTable
        label="Uses"
        rows={rows}
        columns={COLUMNS}
        wide={WIDE}
        keyOf={keyOf}
        onEnd={() => void (hasNextPage && !isFetchingNextPage && fetchNextPage())}
      />
    </>
  );
}

function EntryDrawer({ index }: { readonly index: string | undefined }) {
  const navigate = route.useNavigate();
  return (
    <SideDrawer
      opened={index !== undefined}
      onClose={() => void navigate({ search: (before) => ({ ...before, entry: undefined }), resetScroll: false })}
      size="xl"
      title={`Entry ${index ?? ''}`}
    >
      {index !== undefined && (
        <Stack gap="sm">
          <EntryFacts key={index} index={index} withEvidence />
          <PageLink to="/entries/$index" params={{ index }} size="sm">
            This entry on a page of its own
          </PageLink>
        </Stack>
      )}
    </SideDrawer>
  );
}
