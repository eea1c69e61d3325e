import { Box, Group, Select, Text } from '@mantine/core';
import type { EChartsType } from 'echarts/core';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { DataTable } from '../../../display/data-table.js';
import { countText } from '../../../display/numbers.js';
import { Empty, Loading } from '../../../display/states.js';
import { MEASURES, timeOf, type Measure, type Order } from '../question/vocabulary.js';
import type { Answered } from '../question/queries.js';
import type { ExploreSearch } from '../question/search.js';
import { drawingOf, heightOf, MAX_BARS, type Drawing } from './chart-shape.js';
import { columnsOf, wideOf, type Placed } from './columns.js';
import { Covered } from './covered.js';
import { filterOfGroup } from './group-text.js';
import { Totals } from './totals.js';

/** The chart library is loaded by the pages that draw. */
const Chart = lazy(() => import('./chart.js'));

interface AnswerProps {
  readonly search: ExploreSearch;
  readonly answer: Answered;
  readonly onChart: (chart: EChartsType | undefined) => void;
}

/** The measure that is drawn: the one that the URL says, else the first that is a number. */
export const drawnOf = ({ measures = ['calls'], chart }: ExploreSearch): Measure | undefined =>
  chart !== undefined && measures.includes(chart) ? chart : measures.find((name) => MEASURES[name].isTime !== true);

/** The answer: a chart, and the same in numbers. */
export function AnswerParts({ search, answer, onChart }: AnswerProps) {
  const { by = [], measures = ['calls'] } = search;
  const { items } = answer;
  return (
    <>
      <Read of={answer} to={search.to} />
      {items.length === 0 && <Empty title="No use">No use in this window meets the filters.</Empty>}
      {items.length > 0 && by.length === 0 && <Totals item={items[0]!} measures={measures} />}
      {items.length > 0 && by.length > 0 && (
        <>
          <Drawn search={search} answer={answer} onChart={onChart} />
          <Groups search={search} answer={answer} />
        </>
      )}
    </>
  );
}

/** Says what the answer covers. */
function Read({
  of: { groups, items, as_of: asOf, window, read },
  to,
}: {
  readonly of: Answered;
  readonly to: string | undefined;
}) {
  return (
    <Text size="sm" c="dimmed" aria-live="polite">
      {items.length < groups ? `The first ${countText(items.length)} of ${countText(groups)}` : countText(groups)}{' '}
      {groups === 1 ? 'group' : 'groups'} · <Covered window={window} to={to} index={asOf.index} /> · read{' '}
      {countText(read.archived + read.tail)} uses in {countText(read.ms)} ms
    </Text>
  );
}

function Drawn({ search, answer, onChart }: AnswerProps) {
  const navigate = useNavigate({ from: '/explore' });
  const { by = [], measures = ['calls'] } = search;
  const measure = drawnOf(search);
  const drawing = useMemo(() => drawingOf(search, drawnOf(search), answer), [search, answer]);
  if (drawing === undefined || measure === undefined) return null;
  const choose = (nth: number): void => {
    const item = drawing.kind === 'bars' ? answer.items[nth] : undefined;
    if (item) void navigate({ search: (before) => ({ ...before, rows: filterOfGroup(by, item.group) }) });
  };
  const numbers = measures.filter((name) => MEASURES[name].isTime !== true);
  return (
    <section aria-label="Chart">
      <Group justify="space-between" gap="xs" mb={4}>
        <Text size="xs" c="dimmed">
          {noteOf(drawing, answer, timeOf(by) !== undefined || by.includes('weekday'))}
        </Text>
        {numbers.length > 1 && (
          <Select
            aria-label="What is drawn"
            data={numbers.map((value) => ({ value, label: MEASURES[value].label }))}
            value={measure}
            onChange={(value) =>
              void navigate({ search: (before) => ({ ...before, chart: value as Measure }), replace: true })
            }
            allowDeselect={false}
            w={120}
          />
        )}
      </Group>
      <Box mih={heightOf(drawing)}>
        <Suspense fallback={<Loading />}>
          <Chart
            key={drawing.kind}
            label={`${MEASURES[measure].label}, drawn`}
            drawing={drawing}
            onChoose={choose}
            onChart={onChart}
          />
        </Suspense>
      </Box>
    </section>
  );
}

/** Says what the chart leaves out. */
function noteOf(drawing: Drawing, { items, groups }: Answered, isTimed: boolean): string {
  return [
    ...(isTimed ? ['Hours and days are UTC.'] : []),
    ...(drawing.kind === 'bars' && drawing.leftOut > 0 ? [`The first ${MAX_BARS} groups are drawn.`] : []),
    ...(drawing.kind === 'time' && drawing.leftOut > 0
      ? [`${countText(drawing.leftOut)} groups are not drawn: their values cannot be added up.`]
      : []),
    ...(drawing.kind !== 'bars' && items.length < groups
      ? [`Only ${countText(items.length)} of ${countText(groups)} groups are drawn: narrow the window or add a filter.`]
      : []),
  ].join(' ');
}

function Groups({ search, answer }: Omit<AnswerProps, 'onChart'>) {
  const navigate = useNavigate({ from: '/explore' });
  const { by = [], measures = ['calls'] } = search;
  const isCompared = answer.compare !== undefined;
  const columns = useMemo(
    () =>
      columnsOf(
        search,
        isCompared,
        (next: Order) =>
          void navigate({ search: (before) => ({ ...before, order: [next] }), replace: true, resetScroll: false }),
      ),
    [search, isCompared, navigate],
  );
  const rows = useMemo(() => answer.items.map((item, nth): Placed => ({ item, key: String(nth) })), [answer.items]);
  return (
    <DataTable
      key={JSON.stringify([by, measures, isCompared])}
      label="Groups"
      rows={rows}
      columns={columns}
      wide={wideOf(search, isCompared)}
      keyOf={keyOf}
    />
  );
}

const keyOf = ({ key }: Placed): string => key;
