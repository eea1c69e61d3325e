/** A time as the wall clock of a zone shows it, and how far that clock is ahead of UTC: `2026-11-24 10:30:00`, `+01:00`. */
export interface LocalTime {
  readonly clock: string;
  readonly offset: string;
}

/** Writes a local time as RFC 3339, as options take it. */
export const rfc3339Of = ({ clock, offset }: LocalTime, fraction = ''): string =>
  `${clock.replace(' ', 'T')}${fraction}${offset === '+00:00' ? 'Z' : offset}`;

export type ToLocalTime = (milliseconds: number) => LocalTime;

/** Creates a converter for one zone. An unknown zone is an error of the environment, for which UTC stands in. */
export function createLocalTime(zone: string | undefined): ToLocalTime {
  const format = formatOf(zone);
  return (milliseconds) => {
    const parts = Object.fromEntries(format.formatToParts(milliseconds).map(({ type, value }) => [type, value]));
    const { year, month, day, hour, minute, second, timeZoneName = '' } = parts;
    return {
      clock: `${year}-${month}-${day} ${hour}:${minute}:${second}`,
      offset: timeZoneName.replace('GMT', '') || '+00:00',
    };
  };
}

function formatOf(zone: string | undefined): Intl.DateTimeFormat {
  const wanted = {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  } as const;
  try {
    // Without a zone it is that of the machine.
    return new Intl.DateTimeFormat('en-CA', zone ? { ...wanted, timeZone: zone } : wanted);
  } catch {
    return new Intl.DateTimeFormat('en-CA', { ...wanted, timeZone: 'UTC' });
  }
}
