import type { EventDataOf, EventName } from './events/event-names.js';

/** An event in the JSON format of CloudEvents 1.0. Extension attributes are kept in the ledger and not read. */
export interface CloudEvent<N extends EventName = EventName> {
  specversion: '1.0';
  type: string;
  source: string;
  id: string;
  /** When it happened: an RFC 3339 time. */
  time: string;
  subject?: string;
  data: EventDataOf[N];
}

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/**
 * Reads an RFC 3339 time as epoch milliseconds; finer digits are cut off. Undefined for any other text, and for days that do not exist and
 * leap seconds, which no clock here can name.
 */
export function parseEventTime(text: string): number | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = match;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  date.setUTCHours(Number(hour), Number(minute), Number(second), Number(fraction.slice(0, 3).padEnd(3, '0')));
  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000;
  return date.getTime() - (sign === '-' ? -offsetMs : offsetMs);
}
