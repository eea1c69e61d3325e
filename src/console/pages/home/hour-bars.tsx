import { Text } from '@mantine/core';
import type { Answer } from '../../api/client.js';
import { countText } from '../../display/numbers.js';

type Counts = Answer<'AccessCounts'>;

const HOURS = 24;
const HOUR_MS = 3_600_000;
const WIDE = 8;
const HIGH = 40;

/** A bar for each of the last 24 hours, the present one at the right. Refused calls are the red end of a bar. */
export function HourBars({ hours }: { readonly hours: Counts | undefined }) {
  const bars = hours ? barsOf(hours) : [];
  const most = Math.max(1, ...bars.map(({ accesses }) => accesses));
  const px = (count: number): number => (count === 0 ? 0 : Math.max(1, (count / most) * HIGH));
  return (
    <div>
      <svg
        viewBox={`0 0 ${HOURS * WIDE} ${HIGH}`}
        width="100%"
        role="img"
        aria-label={`Calls in each of the last 24 hours; ${countText(most)} in the busiest`}
        style={{ display: 'block', maxWidth: HOURS * WIDE }}
      >
        <line x1={0} x2={HOURS * WIDE} y1={HIGH - 0.5} y2={HIGH - 0.5} stroke="var(--mantine-color-default-border)" />
        {bars.map(({ at, accesses, denied }, nth) => (
          <g key={at}>
            <title>{`${new Date(at).toISOString().slice(11, 16)} UTC: ${countText(accesses)} calls, ${countText(denied)} refused`}</title>
            <rect
              x={nth * WIDE}
              y={HIGH - px(accesses)}
              width={WIDE - 2}
              height={px(accesses)}
              fill="var(--mantine-primary-color-filled)"
            />
            <rect
              x={nth * WIDE}
              y={HIGH - px(accesses)}
              width={WIDE - 2}
              height={px(denied)}
              fill="var(--mantine-color-red-filled)"
            />
          </g>
        ))}
      </svg>
      <Text size="xs" c="dimmed">
        calls an hour, red: refused
      </Text>
    </div>
  );
}

/** Fills the hours without calls, which the answer leaves out. */
function barsOf({ as_of, items }: Counts): { at: number; accesses: number; denied: number }[] {
  const byHour = new Map(items.map((item) => [Date.parse(item.at), item]));
  const last = Math.floor(Date.parse(as_of.at) / HOUR_MS) * HOUR_MS;
  return Array.from({ length: HOURS }, (_, nth) => {
    const at = last - (HOURS - 1 - nth) * HOUR_MS;
    const { accesses, denied } = byHour.get(at) ?? { accesses: 0, denied: 0 };
    return { at, accesses, denied };
  });
}
