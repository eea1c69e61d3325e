import { Text } from '@mantine/core';
import { Axes } from '../../display/chart/axes.js';
import { linesTo } from '../../display/chart/scale.js';
import { Moment } from '../../display/moment.js';
import { countText } from '../../display/numbers.js';
import type { LedgerState } from './state.js';
import classes from '../../display/chart/chart.module.css';

/** Number of entries over time, up to the newest checkpoint. Between two sizes that are known, the line is straight. */
export function Growth({ of: growth }: { readonly of: LedgerState['growth'] }) {
  const [first, last] = [growth[0], growth.at(-1)];
  if (first === undefined || last === undefined) return null;
  const told = (
    <Text size="sm" c="dimmed">
      {countText(last.size)} published, from <Moment at={new Date(first.at).toISOString()} /> to{' '}
      <Moment at={new Date(last.at).toISOString()} />
    </Text>
  );
  if (first.at === last.at) return told;
  const lines = linesTo(last.size);
  const high = lines.at(-1)!;
  const wide = last.at - first.at;
  const points = growth.map(({ size, at }) => `${((at - first.at) / wide) * 100} ${(1 - size / high) * 100}`);
  return (
    <>
      {told}
      <div role="img" aria-label={`Growth of the ledger to ${countText(last.size)} entries`} className={classes.chart}>
        <div className={classes.drawing}>
          <Axes lines={lines} begin={first.at} end={last.at} />
          <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden>
            <path fill="var(--mantine-color-blue-5)" fillOpacity={0.15} d={`M0 100L${points.join('L')}V100z`} />
            <path
              fill="none"
              stroke="var(--mantine-color-blue-5)"
              strokeWidth={2}
              vectorEffect="non-scaling-stroke"
              d={`M${points.join('L')}`}
            />
          </svg>
        </div>
      </div>
    </>
  );
}
