import { Group, SegmentedControl, Select, Tabs, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { DataTable } from '../../display/data-table.js';
import { countText } from '../../display/numbers.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { COLUMNS, WIDE } from './columns.js';
import { Graph } from './graph.js';
import { Legend } from './legend.js';
import { buildMatrix, type Cell, type Matrix, type MatrixAnswer } from './matrix.js';
import { MatrixView } from './matrix-view.js';
import { Panel } from './panel.js';
import { useMatrix } from './queries.js';
import type { MapSearch, Zoom } from './search.js';

const route = getRouteApi('/map');
const keyOf = ({ key }: Cell): string => key;
const TYPING_MS = 250;
const TEAMS = { of: 'team', without: 'no team' };
const TYPES = { of: 'type', without: 'no type of agent' };

export function MapPage() {
  const search = route.useSearch();
  const change = useChange();
  return (
    <>
      <Group justify="space-between" align="flex-end" mb={6} gap="xs">
        <Title order={1}>Map</Title>
        <Tabs
          value={search.show ?? 'matrix'}
          onChange={(show) => change({ show: show === 'matrix' ? undefined : (show as MapSearch['show']) })}
        >
          <Tabs.List aria-label="Form of the map">
            <Tabs.Tab value="matrix">Matrix</Tabs.Tab>
            <Tabs.Tab value="table">Table</Tabs.Tab>
            <Tabs.Tab value="graph">Graph</Tabs.Tab>
          </Tabs.List>
        </Tabs>
      </Group>
      {search.show === 'graph' ? <Graph search={search} onChange={change} /> : <Connections search={search} />}
    </>
  );
}

/** Changes the URL and leaves the page where it is. */
function useChange(): (change: MapSearch) => void {
  const navigate = route.useNavigate();
  return useCallback(
    (change) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false }),
    [navigate],
  );
}

function Connections({ search }: { readonly search: MapSearch }) {
  const { now, shown } = useMatrix(search.since);
  const failed = [now, shown].find(({ data, error }) => data === undefined && error !== null);
  if (failed !== undefined) return <Failed error={failed.error} reset={() => void failed.refetch()} />;
  if (now.data === undefined || shown.data === undefined) return <Loading />;
  return (
    <div aria-busy={shown.isPlaceholderData}>
      <Answered search={search} now={now.data} then={shown.data} />
    </div>
  );
}

function Answered({
  search,
  now,
  then,
}: {
  readonly search: MapSearch;
  readonly now: MatrixAnswer;
  readonly then: MatrixAnswer;
}) {
  const { rows, group, q, state } = search;
  const [earliest, setEarliest] = useState(then);
  if (earliest !== then && (now === then || Number(then.as_of.index) < Number(earliest.as_of.index))) setEarliest(then);
  const matrix = useMemo(
    () => buildMatrix(now, then, { rows, group, q, state }, earliest),
    [now, then, rows, group, q, state, earliest],
  );
  const navigate = route.useNavigate();
  const change = useChange();
  const open = (cell: Cell): void =>
    void navigate({ search: (before) => ({ ...before, cell: cell.key }), resetScroll: false });
  const [row, resource] = search.cell?.split('-').map(Number) ?? [];
  const opened = row === undefined ? undefined : matrix.cellAt(row, resource!);
  return (
    <>
      <Controls search={search} onChange={change} />
      <Group justify="space-between" gap="xs" mb={4}>
        <Legend
          counts={matrix.counts}
          chosen={state ?? []}
          onChange={(chosen) => change({ state: chosen.length === 0 ? undefined : chosen })}
        />
        <Totals matrix={matrix} rows={rows} />
      </Group>
      {matrix.cells.length === 0 && matrix.lines.length === 0 ? (
        <Empty title="No connection">Nothing is connected that these filters let through.</Empty>
      ) : search.show === 'table' ? (
        <DataTable label="Connections" rows={matrix.cells} columns={COLUMNS} wide={WIDE} keyOf={keyOf} onOpen={open} />
      ) : (
        <MatrixView
          label={`${rows === 'agents' ? 'Agents' : 'Clients'} and resources`}
          matrix={matrix}
          zoom={search.zoom ?? 2}
          open={search.cell}
          groups={group === 'team' ? TEAMS : TYPES}
          onOpen={open}
        />
      )}
      <Panel cell={opened} onClose={() => change({ cell: undefined })} />
    </>
  );
}

function Totals({
  matrix: { lines, columns, cells, without },
  rows,
}: {
  readonly matrix: Matrix;
  readonly rows: MapSearch['rows'];
}) {
  const drawn = lines.filter(({ kind }) => kind === 'row').length;
  return (
    <Text size="xs" c="dimmed">
      {countText(drawn)} {rows ?? 'clients'} × {countText(columns.length)} resources, {countText(cells.length)}{' '}
      connections
      {without > 0 && `; ${countText(without)} without an agent are not shown`}
    </Text>
  );
}

const SINCE = [
  { value: '1d', label: 'Dormant after 1 day' },
  { value: '7d', label: 'Dormant after 7 days' },
  { value: '30d', label: 'Dormant after 30 days' },
  { value: '90d', label: 'Dormant after 90 days' },
];

function Controls({
  search,
  onChange,
}: {
  readonly search: MapSearch;
  readonly onChange: (change: MapSearch) => void;
}) {
  const { rows, group, q, since = '30d', zoom = 2, show } = search;
  const type = useDebouncedCallback((text: string) => onChange({ q: text.trim() || undefined }), TYPING_MS);
  const isOther = SINCE.every(({ value }) => value !== since);
  return (
    <Group gap="xs" mb="xs">
      <SegmentedControl
        size="xs"
        aria-label="Rows"
        data={[
          { value: 'clients', label: 'Clients' },
          { value: 'agents', label: 'Agents' },
        ]}
        value={rows ?? 'clients'}
        onChange={(value) => onChange({ rows: value === 'agents' ? value : undefined, cell: undefined })}
      />
      <Select
        aria-label="Groups"
        data={[
          { value: 'type', label: 'By agent type' },
          { value: 'team', label: 'By team' },
        ]}
        value={group ?? 'type'}
        onChange={(value) => onChange({ group: value === 'team' ? value : undefined })}
        allowDeselect={false}
        w={130}
      />
      <TextInput
        aria-label="Name"
        placeholder="Part of a name"
        defaultValue={q ?? ''}
        onChange={({ currentTarget }) => type(currentTarget.value)}
        w={160}
      />
      <Select
        aria-label="Dormant after"
        data={isOther ? [...SINCE, { value: since, label: `Dormant since ${since}` }] : SINCE}
        value={since}
        onChange={(value) => onChange({ since: value === '30d' ? undefined : (value ?? undefined) })}
        allowDeselect={false}
        w={180}
      />
      {show === undefined && (
        <SegmentedControl
          size="xs"
          aria-label="Size of the cells"
          data={[
            { value: '1', label: 'S' },
            { value: '2', label: 'M' },
            { value: '3', label: 'L' },
          ]}
          value={String(zoom)}
          onChange={(value) => onChange({ zoom: value === '2' ? undefined : (Number(value) as Zoom) })}
        />
      )}
    </Group>
  );
}
