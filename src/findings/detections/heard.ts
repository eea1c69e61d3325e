/** Events of a source that came together. */
export interface Coming {
  /** Epoch milliseconds. */
  readonly arrival: number;
  readonly firstIx: number;
  readonly lastIx: number;
  readonly events: number;
  /** Events that came far behind their time. */
  readonly late: number;
  /** Runs of the numbers that the source gave its events: first, and one past the last. */
  readonly numbers: readonly (readonly [first: number, end: number])[];
}

/** A trouble of a source. */
export interface Trouble {
  readonly how: 'silent' | 'behind' | 'gaps';
  /** Index of the entry at which it began, which names it. Gaps of a source are one trouble. */
  readonly ix: number;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly until: number;
  /** Events late or missing; 1 for a silence. */
  readonly count: number;
}

export interface Bounds {
  /** The least silence, milliseconds. */
  readonly silentMs: number;
  /** How many times the usual longest pause a silence is, counted in entries of the others. */
  readonly silentTimes: number;
  /** Days of a source before its silence or delay says anything. */
  readonly daysKnown: number;
  /** In an hour that is late: the least events that come late, and their least share. */
  readonly lateEvents: number;
  readonly lateShare: number;
  /** Where so many earlier days had such an hour, it is usual. */
  readonly lateDays: number;
  /** How long a number may be overtaken, milliseconds. */
  readonly missingMs: number;
}

interface Gap {
  readonly first: number;
  readonly end: number;
  readonly since: number;
  readonly ix: number;
}

/** What is remembered of a source. Every member is plain JSON. */
export interface Heard {
  readonly last: { readonly at: number; readonly ix: number };
  /** For each day on which something came: the longest pause that ended on it, in entries of the ledger, and whether an hour of it was late. */
  readonly days: readonly (readonly [day: number, pause: number, isLate: boolean])[];
  /** Events of the last hour, in twelfths of it. */
  readonly hour: readonly (readonly [slot: number, events: number, late: number])[];
  /** The last time that the source was behind; it goes on if the source is behind again within a day. */
  readonly behind: (Omit<Trouble, 'how'> & { readonly isOn: boolean }) | null;
  /** One past the highest number. */
  readonly next: number | null;
  readonly gaps: readonly Gap[];
  /** Gaps that have come to light, and the most numbers that were missing. */
  readonly missed: { readonly ix: number; readonly since: number; readonly most: number } | null;
}

const DAY_MS = 86_400_000;
const SLOT_MS = 300_000;
const SLOTS = 12;
const DAYS = 21;
/** The most gaps that are remembered; the lowest are forgotten beyond. */
const MAX_GAPS = 1_000;

/** Notes what came from a source. Returns what is known then, and the troubles that ended by it. */
export function hear(before: Heard | undefined, coming: Coming, bounds: Bounds): readonly [Heard, Trouble[]] {
  const last = { at: coming.arrival, ix: coming.lastIx };
  const known = before ?? { last, days: [], hour: [], behind: null, next: null, gaps: [], missed: null };
  const silence = before && silenceOf(before, coming.arrival, coming.firstIx, bounds);
  const missed = missedOf(known, coming.arrival, bounds);
  const hour = noteHour(known, coming);
  const isLate = isLateHour(hour, bounds);
  const heard: Heard = {
    last,
    days: noteDay(known, coming, isLate),
    hour,
    behind: noteBehind(known, coming, isLate ? lateOf(hour) : 0, bounds),
    ...noteNumbers(known, coming),
    missed,
  };
  const filled = missed !== null && gapsOf(heard, coming.arrival, bounds) === undefined;
  const over = [
    silence,
    known.behind?.isOn === true && heard.behind?.isOn !== true ? behindOf(known.behind) : undefined,
    filled
      ? { how: 'gaps' as const, ix: missed.ix, since: missed.since, until: coming.arrival, count: missed.most }
      : undefined,
  ].flatMap((one) => one ?? []);
  return [filled ? { ...heard, missed: null } : heard, over];
}

/** Finds the troubles of a source that last at a time, when the ledger has so many entries. */
export function troublesAt(heard: Heard, at: number, entries: number, bounds: Bounds): Trouble[] {
  const isForgotten = at - heard.last.at > DAYS * DAY_MS;
  return [
    isForgotten ? undefined : silenceOf(heard, at, entries, bounds),
    heard.behind?.isOn === true ? behindOf(heard.behind) : undefined,
    gapsOf(heard, at, bounds),
  ].flatMap((one) => one ?? []);
}

const dayOf = ({ arrival }: Coming): number => Math.floor(arrival / DAY_MS);

/** A pause is measured in entries of the others: nights, weekends and holidays are quiet for all, and so are ledgers that stand still. */
function silenceOf({ last, days }: Heard, at: number, ix: number, bounds: Bounds): Trouble | undefined {
  const { silentMs, silentTimes, daysKnown } = bounds;
  if (days.length < daysKnown || at - last.at < silentMs || ix - last.ix <= silentTimes * usualPause(days))
    return undefined;
  return { how: 'silent', ix: last.ix, since: last.at, until: at, count: 1 };
}

/** The second longest pause of the days: one outage does not make the next one usual. */
const usualPause = (days: Heard['days']): number =>
  days.map(([, pause]) => pause).sort((one, other) => other - one)[1] ?? 0;

function noteDay({ last, days }: Heard, coming: Coming, isLate: boolean): Heard['days'] {
  const day = dayOf(coming);
  const pause = coming.firstIx - last.ix;
  const [, most, wasLate] = days.at(-1)?.[0] === day ? days.at(-1)! : [day, 0, false];
  const old = days.filter(([one]) => one < day && one >= day - DAYS);
  return [...old, [day, Math.max(most, pause), wasLate || isLate]];
}

function noteHour({ hour }: Heard, { arrival, events, late }: Coming): Heard['hour'] {
  const slot = Math.floor(arrival / SLOT_MS);
  const [, eventsBefore, lateBefore] = hour.find(([one]) => one === slot) ?? [slot, 0, 0];
  const old = hour.filter(([one]) => one > slot - SLOTS && one < slot);
  return [...old, [slot, eventsBefore + events, lateBefore + late]];
}

const lateOf = (hour: Heard['hour']): number => hour.reduce((sum, [, , late]) => sum + late, 0);

function isLateHour(hour: Heard['hour'], { lateEvents, lateShare }: Bounds): boolean {
  const events = hour.reduce((sum, [, one]) => sum + one, 0);
  return lateOf(hour) >= lateEvents && lateOf(hour) >= lateShare * events;
}

/** `late`: late events of an hour that is late, else 0. */
function noteBehind({ days, behind }: Heard, coming: Coming, late: number, bounds: Bounds): Heard['behind'] {
  const { arrival, firstIx: ix } = coming;
  const earlier = days.filter(([day]) => day < dayOf(coming));
  const isUsual = earlier.filter(([, , isLate]) => isLate).length >= bounds.lateDays;
  const isOn = late > 0 && earlier.length >= bounds.daysKnown && (!isUsual || behind?.isOn === true);
  const last = behind !== null && arrival - behind.until < DAY_MS ? behind : null;
  if (!isOn) return last && { ...last, isOn };
  if (last === null) return { ix, since: arrival, until: arrival, count: late, isOn };
  return { ...last, until: arrival, count: last.count + (last.isOn ? coming.late : late), isOn };
}

const behindOf = ({ ix, since, until, count }: NonNullable<Heard['behind']>): Trouble => ({
  how: 'behind',
  ix,
  since,
  until,
  count,
});

function noteNumbers(before: Heard, { arrival, firstIx, numbers }: Coming): Pick<Heard, 'next' | 'gaps'> {
  let { next, gaps } = before;
  for (const [first, end] of numbers) {
    if (next !== null && first > next) gaps = [...gaps, { first: next, end: first, since: arrival, ix: firstIx }];
    else gaps = gaps.flatMap((gap) => without(gap, first, end));
    next = Math.max(next ?? end, end);
  }
  return { next, gaps: gaps.slice(-MAX_GAPS) };
}

function without(gap: Gap, first: number, end: number): Gap[] {
  if (end <= gap.first || first >= gap.end) return [gap];
  return [
    { ...gap, end: Math.max(first, gap.first) },
    { ...gap, first: Math.min(end, gap.end) },
  ].filter((one) => one.first < one.end);
}

/** Numbers that have been overtaken for long. */
function gapsOf({ gaps, missed }: Heard, at: number, { missingMs }: Bounds): Trouble | undefined {
  const ripe = gaps.filter(({ since }) => at - since >= missingMs);
  if (ripe.length === 0) return undefined;
  const { ix, since } = missed ?? ripe[0]!;
  return { how: 'gaps', ix, since, until: at, count: ripe.reduce((sum, { first, end }) => sum + end - first, 0) };
}

function missedOf(heard: Heard, at: number, bounds: Bounds): Heard['missed'] {
  const gaps = gapsOf(heard, at, bounds);
  if (gaps === undefined) return heard.missed;
  return { ix: gaps.ix, since: gaps.since, most: Math.max(gaps.count, heard.missed?.most ?? 0) };
}
