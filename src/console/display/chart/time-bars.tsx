import { BarChart } from 'echarts/charts';
import { BrushComponent, GridComponent, ToolboxComponent } from 'echarts/components';
import { use, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { msOf, timeOf } from '../../api/moment.js';
import { mountChart, useChartColours } from './mount.js';

// The brush asks for the toolbox, which is not shown.
use([BarChart, BrushComponent, GridComponent, ToolboxComponent, CanvasRenderer]);

/** Uses in one interval, which begins at `at`: epoch milliseconds. */
interface Bar {
  readonly at: number;
  readonly allowed: number;
  readonly denied: number;
}

interface TimeBarsProps {
  readonly label: string;
  readonly unitMs: number;
  readonly bars: readonly Bar[];
  /** Epoch milliseconds of the moment that is shown; undefined: now. */
  readonly atMs: number | undefined;
  /** The span that is chosen; a duration counts back from the moment that is shown. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly onChoose: (span: { from: string; to: string }) => void;
}

const HEIGHT_PX = 140;

/** Bars over time. A span that is drawn across them is chosen, from the beginning of its first interval to the end of its last. */
export default function TimeBars({ label, unitMs, bars, atMs, from, to, onChoose }: TimeBarsProps) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);
  const choose = useRef(onChoose);
  useEffect(() => {
    choose.current = onChoose;
  }, [onChoose]);
  const { text, line, colors } = useChartColours();
  useEffect(() => {
    const { chart: made, end } = mountChart(element.current!);
    chart.current = made;
    made.on('brushEnd', (event) => {
      const { areas } = event as { readonly areas: readonly { readonly coordRange: readonly [number, number] }[] };
      const range = areas[0]?.coordRange;
      if (range === undefined) return;
      const begin = Math.floor(range[0] / unitMs) * unitMs;
      choose.current({
        from: timeOf(begin),
        to: timeOf(Math.max(begin + unitMs, Math.ceil(range[1] / unitMs) * unitMs)),
      });
    });
    return end;
  }, [unitMs]);
  useEffect(() => {
    const seriesOf = (name: 'allowed' | 'denied', color: string | undefined) => ({
      name,
      type: 'bar' as const,
      stack: 'uses',
      barMaxWidth: 12,
      itemStyle: { color },
      // A bar stands in the middle of its interval.
      data: bars.map((bar) => [bar.at + unitMs / 2, bar[name]]),
    });
    chart.current!.setOption({
      toolbox: { show: false },
      animation: false,
      grid: { left: 8, right: 8, top: 8, bottom: 4, containLabel: true },
      xAxis: {
        type: 'time',
        axisLine: { lineStyle: { color: line } },
        axisLabel: { color: text, hideOverlap: true },
      },
      yAxis: { type: 'value', minInterval: 1, axisLabel: { color: text }, splitLine: { lineStyle: { color: line } } },
      brush: { xAxisIndex: 0, toolbox: [], brushStyle: { color: 'rgba(120,140,255,0.2)' }, throttleType: 'debounce' },
      series: [seriesOf('allowed', colors.blue[5]), seriesOf('denied', colors.red[6])],
    });
    chart.current!.dispatchAction({
      type: 'takeGlobalCursor',
      key: 'brush',
      brushOption: { brushType: 'lineX', brushMode: 'single' },
    });
  }, [bars, unitMs, text, line, colors]);
  useEffect(() => {
    const end = atMs ?? Date.now();
    const areas =
      from === undefined && to === undefined
        ? []
        : [
            {
              brushType: 'lineX',
              xAxisIndex: 0,
              coordRange: [from === undefined ? bars[0]!.at : msOf(from, end), to === undefined ? end : msOf(to, end)],
            },
          ];
    chart.current!.dispatchAction({ type: 'brush', areas });
  }, [bars, atMs, from, to]);
  return <div ref={element} role="img" aria-label={label} style={{ height: HEIGHT_PX, cursor: 'crosshair' }} />;
}
