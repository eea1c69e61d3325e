import { memo, useState, type PointerEvent } from 'react';
import { msOf, timeOf } from '../../api/moment.js';
import { Axes } from './axes.js';
import { linesTo } from './scale.js';
import classes from './chart.module.css';

/** Uses in one interval, which begins at `at`: epoch milliseconds. */
interface Bar {
  readonly at: number;
  readonly allowed: number;
  readonly denied: number;
}

interface Span {
  readonly begin: number;
  readonly end: number;
}

interface TimeBarsProps {
  readonly label: string;
  readonly unitMs: number;
  /** At least one, the earliest first. */
  readonly bars: readonly Bar[];
  /** Epoch milliseconds of the moment that is shown; undefined: now. */
  readonly atMs: number | undefined;
  /** The span that is chosen; a duration counts back from the moment that is shown. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly onChoose: (span: { from: string; to: string }) => void;
}

/** A shorter way is a click. */
const MIN_DRAWN_PX = 4;

const percent = (share: number): string => `${share * 100}%`;

/** Bars over time. A span that is drawn across them is chosen, from the beginning of its first interval to the end of its last. */
export function TimeBars({ label, unitMs, bars, atMs, from, to, onChoose }: TimeBarsProps) {
  const [drawn, setDrawn] = useState<Span>();
  const whole: Span = { begin: bars[0]!.at, end: bars.at(-1)!.at + unitMs };
  const lines = linesTo(Math.max(...bars.map(({ allowed, denied }) => allowed + denied)));
  const shareOf = (ms: number): number => Math.min(1, Math.max(0, (ms - whole.begin) / (whole.end - whole.begin)));
  const msAt = ({ clientX, currentTarget }: PointerEvent): number => {
    const { left, width } = currentTarget.getBoundingClientRect();
    return whole.begin + Math.min(1, Math.max(0, (clientX - left) / width)) * (whole.end - whole.begin);
  };
  const choose = ({ currentTarget }: PointerEvent): void => {
    setDrawn(undefined);
    if (drawn === undefined) return;
    const [first, last] = [drawn.begin, drawn.end].toSorted((one, other) => one - other) as [number, number];
    if ((shareOf(last) - shareOf(first)) * currentTarget.clientWidth < MIN_DRAWN_PX) return;
    const begin = Math.floor(first / unitMs) * unitMs;
    onChoose({ from: timeOf(begin), to: timeOf(Math.max(begin + unitMs, Math.ceil(last / unitMs) * unitMs)) });
  };
  return (
    <div role="img" aria-label={label} className={classes.chart}>
      <div
        className={classes.plot}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrawn({ begin: msAt(event), end: msAt(event) });
        }}
        onPointerMove={(event) => drawn && setDrawn({ begin: drawn.begin, end: msAt(event) })}
        onPointerUp={choose}
        onPointerCancel={() => setDrawn(undefined)}
      >
        <Axes lines={lines} {...whole} />
        <Bars bars={bars} unitMs={unitMs} high={lines.at(-1)!} />
        <Chosen span={drawn ?? spanOf(from, to, whole, atMs)} shareOf={shareOf} />
      </div>
    </div>
  );
}

/** The span that the URL chooses; undefined: everything. */
function spanOf(
  from: string | undefined,
  to: string | undefined,
  whole: Span,
  atMs: number | undefined,
): Span | undefined {
  if (from === undefined && to === undefined) return undefined;
  const end = atMs ?? Date.now();
  return { begin: from === undefined ? whole.begin : msOf(from, end), end: to === undefined ? end : msOf(to, end) };
}

function Chosen({ span, shareOf }: { readonly span: Span | undefined; readonly shareOf: (ms: number) => number }) {
  if (span === undefined) return null;
  const [left, right] = [shareOf(span.begin), shareOf(span.end)].toSorted((one, other) => one - other) as [
    number,
    number,
  ];
  return <div className={classes.span} style={{ left: percent(left), right: percent(1 - right) }} />;
}

/** Share of its interval that a bar takes, and of the whole chart at most. */
const WIDE = 0.8;
const MAX_WIDE = 1 / 80;

/** One path a colour: an element a bar would be hundreds. A bar stands in the middle of its interval. */
const Bars = memo(function Bars({
  bars,
  unitMs,
  high,
}: {
  readonly bars: readonly Bar[];
  readonly unitMs: number;
  readonly high: number;
}) {
  const units = (bars.at(-1)!.at - bars[0]!.at) / unitMs + 1;
  const wide = Math.min(WIDE, units * MAX_WIDE);
  const path = (heightOf: (bar: Bar) => number, bottomOf: (bar: Bar) => number): string =>
    bars
      .filter((bar) => heightOf(bar) > 0)
      .map((bar) => {
        const x = (bar.at - bars[0]!.at) / unitMs + (1 - wide) / 2;
        return `M${x.toFixed(3)} ${high - bottomOf(bar)}h${wide.toFixed(3)}v${-heightOf(bar)}h${-wide.toFixed(3)}z`;
      })
      .join('');
  return (
    <svg viewBox={`0 0 ${units} ${high}`} preserveAspectRatio="none" aria-hidden>
      <path
        fill="var(--mantine-color-blue-5)"
        d={path(
          ({ allowed }) => allowed,
          () => 0,
        )}
      />
      <path
        fill="var(--mantine-color-red-6)"
        d={path(
          ({ denied }) => denied,
          ({ allowed }) => allowed,
        )}
      />
    </svg>
  );
});
