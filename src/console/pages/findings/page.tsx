import { Affix, Button, Group, Paper, Select, Text, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useLive } from '../../api/live.js';
import { useMe } from '../../api/me.js';
import { ChooseSeveral } from '../../display/filters/choose-several.js';
import { DataTable } from '../../display/data-table.js';
import { KINDS, SEVERITIES, STATES } from '../../display/findings/finding-words.js';
import { Later } from '../../display/later.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { countText } from '../../display/numbers.js';
import { ChangeState } from './change.js';
import { COLUMNS, WIDE } from './columns.js';
import { FindingDrawer } from './finding.js';
import { useFindings, type Finding } from './queries.js';
import type { FindingsSearch } from './search.js';

const route = getRouteApi('/findings');
const keyOf = ({ id }: Finding): string => id;

/** Room of the heading and the filters; on a phone they take three lines. */
const HEAD_PX = { base: 105, sm: 30 };

export function FindingsPage() {
  useLive();
  return (
    <>
      <Group justify="space-between" align="flex-end" mb="sm" gap="xs" mih={HEAD_PX}>
        <Title order={1}>Findings</Title>
        <Later>
          <Filters />
        </Later>
      </Group>
      <FindingList />
      <OpenFinding />
    </>
  );
}

/** A finding that is opened draws neither the filters nor the list again. */
const useFilters = () =>
  route.useSearch({ select: ({ state, severity, kind }) => ({ state, severity, kind }), structuralSharing: true });

function useOpen(): (finding: string | undefined) => void {
  const navigate = route.useNavigate();
  return (finding) => void navigate({ search: (before) => ({ ...before, finding }) });
}

function OpenFinding() {
  const id = route.useSearch({ select: ({ finding }) => finding });
  const open = useOpen();
  return <FindingDrawer id={id} onClose={() => open(undefined)} />;
}

function Filters() {
  const { state, kind, severity = null } = useFilters();
  const navigate = route.useNavigate();
  const onChange = (change: FindingsSearch): void =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  return (
    <Group gap="xs">
      <Select
        aria-label="Severity"
        placeholder="Any severity"
        data={SEVERITIES.toReversed().map((value) => ({
          value,
          label: `${value}${value === 'critical' ? '' : ' or higher'}`,
        }))}
        value={severity}
        onChange={(value) => onChange({ severity: value ?? undefined })}
        clearable
        w={160}
      />
      <ChooseSeveral label="State" of={STATES} chosen={state} onChange={(chosen) => onChange({ state: chosen })} />
      <ChooseSeveral label="Kind" of={KINDS} chosen={kind} onChange={(chosen) => onChange({ kind: chosen })} isLong />
    </Group>
  );
}

function FindingList() {
  const search = useFilters();
  const open = useOpen();
  const { data: me } = useMe();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useFindings(search);
  const selection = useMemo(() => {
    const says = new Map(data?.map((one) => [one.id, one.says]));
    return { chosen, onChange: setChosen, labelOf: (id: string): string => `Choose ${says.get(id) ?? id}` };
  }, [chosen, data]);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  if (data.length === 0)
    return <Empty title="No finding">No detection has found anything that these filters let through.</Empty>;
  return (
    <>
      <DataTable
        label="Findings"
        rows={data}
        columns={COLUMNS}
        wide={WIDE}
        keyOf={keyOf}
        onOpen={({ id }) => open(id)}
        onEnd={() => void (hasNextPage && !isFetchingNextPage && fetchNextPage())}
        {...(me?.may.stop ? { selection } : {})}
      />
      <Chosen findings={data.filter(({ id }) => chosen.has(id))} onClear={() => setChosen(new Set())} />
    </>
  );
}

/** Lies over the end of the page, so that nothing moves when a row is chosen. */
function Chosen({ findings, onClear }: { readonly findings: readonly Finding[]; readonly onClear: () => void }) {
  if (findings.length === 0) return null;
  return (
    <Affix position={{ bottom: 12, right: 12 }} maw="calc(100vw - 24px)">
      <Paper withBorder shadow="md" p="xs" role="region" aria-label="Chosen findings">
        <Group gap="sm">
          <Text size="sm" fw={600}>
            {countText(findings.length)} chosen
          </Text>
          <ChangeState findings={findings} onDone={onClear} />
          <Button variant="subtle" color="gray" size="compact-sm" onClick={onClear}>
            Clear
          </Button>
        </Group>
      </Paper>
    </Affix>
  );
}
