import { parseEventTime } from './cloud-event.js';
import { RescindError } from './rescind-error.js';
import type { ErrorCode } from './error-codes.js';
import { MAX_TIME_SECONDS, MIN_TIME_SECONDS } from './events/event-members.js';
import { nameSchemas } from './json-schema.js';

/*
 * Times of the management API and of the CLI: one reader, one writer, and their schemas. Protocols of others (RFC 7662, JWT, CloudEvents)
 * keep their own.
 */

/** A time in an answer: RFC 3339, in UTC. */
export const TIME = { type: 'string', format: 'date-time' } as const;

/** Writes epoch seconds: `2026-11-24T09:00:00Z`. */
export const timeText = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** Writes epoch milliseconds, for times that are recorded so finely: `2026-11-24T09:00:00.123Z`. */
export const instantText = (milliseconds: number): string => new Date(milliseconds).toISOString();

const MONTH_AND_DAY =
  '(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))';
const LEAP_YEAR = '(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';
const DATE = `(?:[0-9]{4}-${MONTH_AND_DAY}|${LEAP_YEAR}-02-29)`;
const CLOCK = '(?:[01][0-9]|2[0-3]):[0-5][0-9]';
const RFC_3339 = {
  type: 'string',
  pattern: `^${DATE}[Tt]${CLOCK}:[0-5][0-9](?:\\.[0-9]{1,9})?(?:[Zz]|[+-]${CLOCK})$`,
} as const;
const DAY = { type: 'string', pattern: `^${DATE}$` } as const;
const DURATION = { type: 'string', pattern: '^[1-9][0-9]{0,4}[smhdw]$' } as const;
const DECIMAL = '(?:0|[1-9][0-9]{0,14})';
const EPOCH = { type: 'string', pattern: `^@?${DECIMAL}$` } as const;
const MARKED_EPOCH = { type: 'string', pattern: `^@${DECIMAL}$` } as const;
const SECONDS = { type: 'integer', minimum: MIN_TIME_SECONDS, maximum: MAX_TIME_SECONDS } as const;
const INDEX = { type: 'string', pattern: '^(?:0|[1-9][0-9]{0,18})$' } as const;

const FORMS =
  'an RFC 3339 time (`2026-11-24T09:00:00Z`), a date (`2026-11-24`: its beginning in UTC), a duration (`90s`, `30m`, `24h`, `7d`, `2w`)';
/** Says what a time may look like. */
export const TIME_FORMS = `${FORMS} or epoch seconds (\`1796000000\`, \`@1796000000\`)`;
/** Says what a moment of the ledger may look like. */
export const MOMENT_FORMS = `an index of the ledger (\`1234\`), ${FORMS} or epoch seconds behind an at sign (\`@1796000000\`)`;

/** A time in a request. */
export const TIME_INPUT = {
  anyOf: [RFC_3339, DAY, DURATION, EPOCH, SECONDS],
  description: `A time: ${TIME_FORMS}. A duration counts back from now, or onwards from now for a time that must lie in the future. Fractions of a second are cut off.`,
  examples: ['2026-11-24T09:00:00Z', '2026-11-24', '7d', '@1796000000'],
} as const;
/** A moment of the ledger in a request. A bare number is an index there, not a time. */
export const MOMENT_INPUT = {
  anyOf: [INDEX, RFC_3339, DAY, DURATION, MARKED_EPOCH],
  description: `A moment: ${MOMENT_FORMS}. A duration counts back from now.`,
  examples: ['1234', '2026-11-24T09:00:00Z', '7d'],
} as const;
nameSchemas({ TimeInput: TIME_INPUT, MomentInput: MOMENT_INPUT });

/** The schema of a member that is a time, with a description of its own. */
export const timeInput = (description: string) => ({ description, allOf: [TIME_INPUT] }) as const;
/** The type of such a member before it is read. */
export type TimeInput = string | number;

/** A time as it was asked for: a moment, or a distance from one. Both in milliseconds. */
export type AskedTime = { readonly atMs: number } | { readonly agoMs: number };

const UNIT_S = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;
const IS_EPOCH = new RegExp(EPOCH.pattern);
const IS_DURATION = new RegExp(DURATION.pattern);
const IS_DAY = new RegExp(DAY.pattern);
const IS_RFC_3339 = new RegExp(RFC_3339.pattern);

/** Reads any form of {@link TIME_INPUT}. Undefined for everything else. It does not look at the bounds of text. */
export function parseTime(value: unknown): AskedTime | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? { atMs: value * 1_000 } : undefined;
  if (typeof value !== 'string') return undefined;
  if (IS_EPOCH.test(value)) return { atMs: Number(value.replace('@', '')) * 1_000 };
  if (IS_DURATION.test(value))
    return { agoMs: Number(value.slice(0, -1)) * UNIT_S[value.at(-1) as keyof typeof UNIT_S] * 1_000 };
  if (IS_DAY.test(value)) return { atMs: parseEventTime(`${value}T00:00:00Z`)! };
  return IS_RFC_3339.test(value) ? { atMs: parseEventTime(value)! } : undefined;
}

/** Reads the time that `name` asks for. Throws `invalid-request` for another form, `outOfRange` for another century. */
export function readAskedTime(name: string, value: unknown, outOfRange: ErrorCode = 'time-out-of-range'): AskedTime {
  const asked = parseTime(value);
  if (asked === undefined) throw new RescindError('invalid-request', { detail: `\`${name}\` must be ${TIME_FORMS}` });
  if ('atMs' in asked) refuseOtherCenturies(name, asked.atMs, outOfRange);
  return asked;
}

/**
 * Returns the epoch seconds that are meant. `nowS`: where a duration begins, epoch seconds. `direction`: whether the time lies before
 * or after that. Throws as `readAskedTime` does.
 */
export function secondsOf(
  name: string,
  asked: AskedTime,
  nowS: number,
  direction: 'before' | 'after' = 'before',
): number {
  const atMs = 'atMs' in asked ? asked.atMs : nowS * 1_000 + (direction === 'before' ? -asked.agoMs : asked.agoMs);
  refuseOtherCenturies(name, atMs, 'time-out-of-range');
  return Math.floor(atMs / 1_000);
}

/** Reads a time as epoch seconds; undefined stays undefined. See {@link secondsOf}. */
export function readTime(
  name: string,
  value: unknown,
  nowS: number,
  direction: 'before' | 'after' = 'before',
): number | undefined {
  return value === undefined ? undefined : secondsOf(name, readAskedTime(name, value), nowS, direction);
}

function refuseOtherCenturies(name: string, atMs: number, code: ErrorCode): void {
  if (!(atMs >= MIN_TIME_SECONDS * 1_000 && atMs <= MAX_TIME_SECONDS * 1_000))
    throw new RescindError(code, { detail: `\`${name}\` lies outside the years 2000 to 2100` });
}
