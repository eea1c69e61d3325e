export const DAY_S = 86_400;
export const HOUR_S = 3_600;
export const DAYS = 14;
export const SPAN_S = DAYS * DAY_S;
/** The story begins on a Wednesday at noon UTC, whenever it is placed, so that a seed tells the same story on any day. */
const FIRST_WEEKDAY = 2;
const FIRST_HOUR = 12;

/** Seconds from the story's beginning to a time of day (seconds) in a zone, on the story's day number `day`. */
export const atLocal = (day: number, zone: number, seconds: number): number =>
  day * DAY_S - (FIRST_HOUR + zone) * HOUR_S + seconds;

/** Whether the local day is a Saturday or Sunday. */
export const isWeekend = (day: number): boolean => (day + FIRST_WEEKDAY) % 7 >= 5;

/** Local days that the story touches. */
export const LOCAL_DAYS: readonly number[] = Array.from({ length: DAYS + 2 }, (_, day) => day);
