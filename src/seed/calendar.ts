const HOUR_S = 3_600;
const DAY_S = 86_400;

/** Activity of agents and jobs at night and on weekends, as a share of the busiest hour. */
const AT_NIGHT = 0.04;
const ON_WEEKENDS = 0.12;
const FIRST_HOUR = 7;
const LAST_HOUR = 19;

/** Says how busy the hour that begins at `at` (epoch seconds, UTC) is: 1 at the height of a working day. */
export function busyness(at: number): number {
  const hour = Math.floor(at / HOUR_S) % 24;
  // 1970-01-01 was a Thursday.
  const weekday = (Math.floor(at / DAY_S) + 4) % 7;
  if (hour < FIRST_HOUR || hour >= LAST_HOUR) return AT_NIGHT;
  const height = Math.sin((Math.PI * (hour - FIRST_HOUR + 0.5)) / (LAST_HOUR - FIRST_HOUR));
  const noon = hour === 12 ? 0.7 : 1;
  return Math.max(AT_NIGHT, height * noon * (weekday === 0 || weekday === 6 ? ON_WEEKENDS : 1));
}

/**
 * Yields, hour by hour from `start`, how many of the `total` events must have come by the end of that hour (`by`). The last hour yields
 * `total`.
 */
export function* plan(
  start: number,
  end: number,
  total: number,
): Generator<{ readonly from: number; readonly to: number; readonly by: number }> {
  let whole = 0;
  for (let at = start; at < end; at += HOUR_S) whole += busyness(at);
  let so = 0;
  for (let at = start; at < end; at += HOUR_S) {
    so += busyness(at);
    const to = Math.min(end, at + HOUR_S);
    yield { from: at, to, by: to === end ? total : Math.floor((so / whole) * total) };
  }
}
