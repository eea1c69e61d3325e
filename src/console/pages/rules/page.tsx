import { Button, Group, Select, Stack, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import type { Rule } from '../../api/rules.js';
import { ChooseSeveral } from '../../display/filters/choose-several.js';
import { DataTable } from '../../display/data-table.js';
import { OfNow } from '../../display/past/of-now.js';
import { StopLink } from '../../display/rule/stop-link.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { COLUMNS, WIDE } from './columns.js';
import { useRules } from './queries.js';
import { EFFECTS, STATES, type RulesSearch } from './search.js';

const route = getRouteApi('/rules');
const keyOf = ({ id }: Rule): string => id;

export function RulesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const filter = (change: RulesSearch) => navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  return (
    <>
      <Group justify="space-between" align="flex-end" mb="sm" gap="xs">
        <Group gap="sm">
          <Title order={1}>Rules</Title>
          <StopLink selector={{}}>Stop…</StopLink>
          <OfNow />
        </Group>
        <Filters search={search} onChange={filter} />
      </Group>
      <RuleList search={search} />
    </>
  );
}

interface FiltersProps {
  readonly search: RulesSearch;
  readonly onChange: (change: RulesSearch) => void;
}

function Filters({ search: { state, effect }, onChange }: FiltersProps) {
  return (
    <Group gap="xs">
      <ChooseSeveral label="State" of={STATES} chosen={state} onChange={(chosen) => onChange({ state: chosen })} />
      <Select
        aria-label="Effect"
        placeholder="Any effect"
        data={EFFECTS}
        value={effect ?? null}
        onChange={(value) => onChange({ effect: value ?? undefined })}
        clearable
        w={130}
      />
    </Group>
  );
}

function RuleList({ search }: { readonly search: RulesSearch }) {
  const navigate = route.useNavigate();
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useRules(search);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  const more = () => void (hasNextPage && !isFetchingNextPage && fetchNextPage());
  if (data.length === 0)
    return (
      <Empty title="No rule">
        <Stack gap="xs" align="center">
          {hasNextPage ? 'None of the newest rules passes these filters.' : 'No rule passes these filters.'}
          {hasNextPage && (
            <Button variant="default" onClick={more} loading={isFetchingNextPage}>
              Look at older ones
            </Button>
          )}
        </Stack>
      </Empty>
    );
  return (
    <DataTable
      label="Rules"
      rows={data}
      columns={COLUMNS}
      wide={WIDE}
      keyOf={keyOf}
      onOpen={({ id }) => void navigate({ to: '/rules/$id', params: { id } })}
      onEnd={more}
    />
  );
}
