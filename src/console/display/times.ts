/** Making one takes longer than all else that a row of a table shows. */
const formats = new Map<string | undefined, Intl.DateTimeFormat>();

function formatOf(timeZone: string | undefined): Intl.DateTimeFormat {
  const kept = formats.get(timeZone);
  if (kept) return kept;
  const made = new Intl.DateTimeFormat('en', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'shortOffset',
  });
  formats.set(timeZone, made);
  return made;
}

/** `2026-11-24 09:00:03 GMT+1`: sorts as text, and says its zone. */
export function timeText(time: string, timeZone?: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const parts = formatOf(timeZone).formatToParts(date);
  const of = (type: Intl.DateTimeFormatPartTypes): string => parts.find((part) => part.type === type)?.value ?? '';
  const zone = of('timeZoneName').replace(/^GMT(?:\+0)?$/, 'UTC');
  return `${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}:${of('second')} ${zone}`;
}

/** The zone in which a time is shown, at that time; now if the text is no time. */
export function zoneText(time: string): string {
  const date = new Date(time);
  const known = Number.isNaN(date.getTime()) ? new Date() : date;
  return timeText(known.toISOString()).split(' ').at(-1)!;
}
