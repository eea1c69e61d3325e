import { BarChart, HeatmapChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from 'echarts/components';
import { use, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { mountChart, useChartColours } from '../../../display/chart/mount.js';
import { countText } from '../../../display/numbers.js';
import { WEEKDAYS } from '../question/vocabulary.js';
import { heightOf, type Bars, type Drawing, type Heat, type OverTime, type Series } from './chart-shape.js';

use([
  BarChart,
  HeatmapChart,
  LineChart,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  VisualMapComponent,
  CanvasRenderer,
]);

interface ChartProps {
  readonly label: string;
  readonly drawing: Drawing;
  /** Called with the place of the group whose bar was chosen. */
  readonly onChoose: (nth: number) => void;
  /** Called with the chart, for a picture of it; with undefined when it is gone. */
  readonly onChart: (chart: EChartsType | undefined) => void;
}

/** The part of a chart that labels may have, and their widest, in pixels. */
const LABEL_PART = 0.32;
const LABEL_PX = 320;
const DAY_MS = 86_400_000;

type Option = Record<string, unknown>;
type Colours = ReturnType<typeof useChartColours>;

/** Draws an answer. The table beneath says the same in numbers. */
export default function Chart({ label, drawing, onChoose, onChart }: ChartProps) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);
  const choose = useRef(onChoose);
  useEffect(() => {
    choose.current = onChoose;
  }, [onChoose]);
  useEffect(() => {
    const mounted = mountChart(element.current!);
    chart.current = mounted.chart;
    onChart(mounted.chart);
    mounted.chart.on('click', ({ dataIndex }) => choose.current(dataIndex));
    return () => {
      onChart(undefined);
      mounted.end();
    };
  }, [onChart]);
  const colours = useChartColours();
  useEffect(() => {
    chart.current!.resize();
    chart.current!.setOption(optionOf(drawing, colours, element.current!.clientWidth), true);
  }, [drawing, colours]);
  return <div ref={element} role="img" aria-label={label} style={{ height: heightOf(drawing) }} />;
}

function optionOf(drawing: Drawing, colours: Colours, width: number): Option {
  switch (drawing.kind) {
    case 'time':
      return timeOption(drawing, colours);
    case 'heat':
      return heatOption(drawing, colours);
    case 'bars':
      return barOption(drawing, colours, width);
  }
}

/** Texts of the tooltip are drawn, not written into the page: names in them come from outside. */
const tooltip = ({ isDark, colors, text, line }: Colours) => ({
  renderMode: 'richText',
  confine: true,
  backgroundColor: isDark ? colors.dark[6] : '#ffffff',
  borderColor: line,
  textStyle: { color: isDark ? colors.gray[3] : colors.dark[7], fontSize: 12 },
  axisPointer: { type: 'shadow', label: { color: text } },
  valueFormatter: (value: number) => countText(value),
});

const legend = ({ text }: Colours) => ({
  type: 'scroll',
  top: 0,
  left: 0,
  icon: 'roundRect',
  itemWidth: 10,
  itemHeight: 10,
  textStyle: { color: text, fontSize: 12 },
  pageTextStyle: { color: text },
  pageIconColor: text,
});

const valueAxis = ({ text, line }: Colours) => ({
  type: 'value',
  minInterval: 1,
  axisLabel: { color: text, hideOverlap: true, formatter: (value: number) => countText(value) },
  splitLine: { lineStyle: { color: line } },
});

const paletteOf = ({ colors, isDark }: Colours): string[] =>
  (['blue', 'orange', 'teal', 'grape', 'yellow', 'cyan', 'pink', 'lime', 'gray'] as const).map(
    (name) => colors[name][isDark ? 5 : 6],
  );

/** Colours that mean something stay with what they mean. */
const colourOf = ({ name }: Series, nth: number, colours: Colours): string =>
  name === 'denied' ? colours.colors.red[6] : name === 'allowed' ? colours.colors.blue[5] : paletteOf(colours)[nth]!;

function timeOption({ unitMs, times, series, stacked }: OverTime, colours: Colours): Option {
  const { text, line } = colours;
  const labels = times.map((at) => timeLabel(at, unitMs));
  return {
    animation: false,
    useUTC: true,
    tooltip: { ...tooltip(colours), trigger: 'axis', order: 'valueDesc' },
    ...(series.length > 1 ? { legend: legend(colours) } : {}),
    grid: { left: 8, right: 12, top: series.length > 1 ? 32 : 12, bottom: 4, containLabel: true },
    xAxis: {
      type: 'category',
      data: labels,
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      axisLabel: { color: text, hideOverlap: true },
    },
    yAxis: valueAxis(colours),
    series: series.map((one, nth) => ({
      name: one.name,
      data: one.values,
      itemStyle: { color: colourOf(one, nth, colours) },
      ...(stacked
        ? { type: 'bar', stack: 'all', barMaxWidth: 32, barCategoryGap: '15%' }
        : { type: 'line', showSymbol: times.length < 2, lineStyle: { width: 1.5 } }),
    })),
  };
}

const timeLabel = (at: number, unitMs: number): string => {
  const text = new Date(at).toISOString();
  return unitMs === DAY_MS ? text.slice(0, 10) : text.slice(5, 16).replace('T', ' ');
};

function heatOption({ cells }: Heat, colours: Colours): Option {
  const { text, isDark, colors } = colours;
  const axis = { type: 'category', axisTick: { show: false }, axisLine: { show: false }, axisLabel: { color: text } };
  return {
    animation: false,
    tooltip: {
      ...tooltip(colours),
      formatter: ({ value: [hour, weekday, value] }: { readonly value: readonly [number, number, number] }) =>
        `${WEEKDAYS[weekday]} ${String(hour).padStart(2, '0')}:00 UTC: ${countText(value)}`,
    },
    grid: { left: 8, right: 12, top: 8, bottom: 4, containLabel: true },
    xAxis: { ...axis, data: Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0')) },
    yAxis: { ...axis, data: WEEKDAYS, inverse: true },
    visualMap: {
      show: false,
      min: 0,
      max: Math.max(1, ...cells.map(([, , value]) => value)),
      inRange: { color: isDark ? [colors.dark[6], colors.blue[5]] : [colors.blue[0], colors.blue[8]] },
    },
    series: [{ type: 'heatmap', data: cells, itemStyle: { borderColor: colours.ground, borderWidth: 2 } }],
  };
}

function barOption({ labels, series }: Bars, colours: Colours, width: number): Option {
  const { text, line, colors, isDark } = colours;
  const isCompared = series.length > 1;
  return {
    animation: false,
    tooltip: { ...tooltip(colours), trigger: 'axis' },
    ...(isCompared ? { legend: legend(colours) } : {}),
    grid: { left: 8, right: 24, top: isCompared ? 32 : 8, bottom: 4, containLabel: true },
    xAxis: valueAxis(colours),
    yAxis: {
      type: 'category',
      inverse: true,
      // Two groups may look alike when they are cut; the place keeps them apart.
      data: labels,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: line } },
      axisLabel: {
        color: text,
        interval: 0,
        width: Math.min(LABEL_PX, width * LABEL_PART),
        overflow: 'truncate',
      },
    },
    series: series.map((one, nth) => ({
      name: one.name,
      type: 'bar',
      barMaxWidth: 14,
      barGap: '10%',
      cursor: 'pointer',
      itemStyle: {
        color: nth === 0 ? colourOf(one, nth, colours) : isDark ? colors.dark[2] : colors.gray[5],
        borderRadius: [0, 2, 2, 0],
      },
      data: one.values,
    })),
  };
}
