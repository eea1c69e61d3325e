import { Group, Stack, Text, Title } from '@mantine/core';
import type { EChartsType } from 'echarts/core';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { Failed, Loading } from '../../display/states.js';
import { AnswerParts } from './answer/answer.js';
import { useExplore } from './question/queries.js';
import { Builder } from './question/builder.js';
import { fieldProblemOf } from './question/problems.js';
import { asks } from './question/question.js';
import { Rows } from './rows/rows.js';
import type { ExploreSearch } from './question/search.js';
import { Share } from './share/share.js';
import { Starts } from './starts.js';

const route = getRouteApi('/explore');

export function ExplorePage() {
  const search = route.useSearch();
  if (search.rows !== undefined) return <Rows search={search} rows={search.rows} />;
  return asks(search) ? <Asked search={search} /> : <Unasked search={search} />;
}

function useChange(): (change: ExploreSearch) => void {
  const navigate = route.useNavigate();
  return (change) => void navigate({ search: (before) => ({ ...before, ...change }), resetScroll: false });
}

function Unasked({ search }: { readonly search: ExploreSearch }) {
  return (
    <Stack gap="sm">
      <Title order={1}>Explore</Title>
      <Text size="sm" c="dimmed">
        Any question over who used what: choose measures and groups, or begin with one of these.
      </Text>
      <Starts />
      <Builder search={search} onChange={useChange()} problem={undefined} />
    </Stack>
  );
}

function Asked({ search }: { readonly search: ExploreSearch }) {
  const change = useChange();
  const [chart, setChart] = useState<EChartsType>();
  const { data, error, isPending, isFetching, refetch } = useExplore(search);
  const problem = error === null ? undefined : fieldProblemOf(error, search);
  const isMarked = problem?.field !== undefined;
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="xs">
        <Title order={1}>Explore</Title>
        <Share search={search} answer={error === null ? data : undefined} chart={chart} />
      </Group>
      <Builder search={search} onChange={change} problem={problem} />
      {isPending && <Loading />}
      {error !== null && !isMarked && <Failed error={error} reset={() => void refetch()} />}
      {isMarked && (
        <Text size="sm" c="dimmed" role="status">
          The question is refused: see what is marked above.
        </Text>
      )}
      {error === null && data !== undefined && (
        <Stack gap="sm" aria-busy={isFetching} style={{ opacity: isFetching ? 0.6 : 1 }}>
          <AnswerParts search={search} answer={data} onChart={setChart} />
        </Stack>
      )}
    </Stack>
  );
}
