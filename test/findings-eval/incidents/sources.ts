import type { Random, SeedEvent } from '../../../src/seed/index.js';
import { atLocal, HOUR_S, isWeekend } from '../calendar.js';
import type { App, Organisation } from '../organisation.js';
import type { Scene } from './scene.js';

export type Trouble =
  | { readonly what: 'silent'; readonly app: App; readonly from: number; readonly to: number }
  | { readonly what: 'behind'; readonly app: App; readonly from: number; readonly to: number; readonly lag: number }
  | { readonly what: 'lost'; readonly app: App; readonly from: number; readonly lost: number };

/** Decides what goes wrong with a source that has no other trouble. Nothing else is done at its application. */
export function planTrouble(scene: Scene, app: App, holiday: number): Trouble {
  const { random } = scene;
  const isWorkday = (day: number): boolean => !isWeekend(day) && day !== holiday;
  const days = [5, 6, 7, 8, 9, 10, 11, 12].filter((one) => isWorkday(one) && isWorkday(one + 1));
  const from = atLocal(random.pick(days), 0, 8 * HOUR_S) + random.below(2 * HOUR_S);
  const what = app.numbers
    ? random.pick(['lost', 'silent', 'behind'] as const)
    : random.pick(['silent', 'behind'] as const);
  const named = [[app.uri], [app.resource], [app.issuer], [`"${app.name}"`]];
  const base = { kind: 'source-trouble', named, first: from, also: ['lineage-trouble'] } as const;
  if (what === 'lost') {
    const lost = 1 + random.skewed(30);
    scene.add({ ...base, deed: `${app.name} lost ${lost} numbers`, last: from, until: from + 14 * HOUR_S, size: lost });
    return { what, app, from, lost };
  }
  const to = from + (what === 'silent' ? 10 + random.below(20) : 4 + random.below(6)) * HOUR_S;
  const lag = (2 + random.below(7)) * HOUR_S;
  scene.add({
    ...base,
    deed:
      what === 'silent' ? `${app.name} silent for ${(to - from) / HOUR_S} h` : `${app.name} ${lag / HOUR_S} h behind`,
    last: to,
    until: to + lag + 6 * HOUR_S,
    size: Math.floor((to - from) / HOUR_S),
  });
  return what === 'silent' ? { what, app, from, to } : { what, app, from, to, lag };
}

/** Takes away or delays what the troubled sources say. Calls whose token was never told go with it. */
export function applyTroubles(events: readonly SeedEvent[], start: number, troubles: readonly Trouble[]): SeedEvent[] {
  const silent = new Set<string>();
  const tokenOf = ({ data }: SeedEvent): string => {
    const { token, jti, sha256 } = data as { token?: { jti?: string; sha256?: string }; jti?: string; sha256?: string };
    return token?.jti ?? token?.sha256 ?? jti ?? sha256 ?? '';
  };
  const inside = (event: SeedEvent, from: number, to: number): boolean =>
    event.at - start >= from && event.at - start < to;
  const troubleOf = (event: SeedEvent) => troubles.find(({ app }) => app.name === event.party);
  for (const event of events) {
    const trouble = troubleOf(event);
    if (trouble?.what === 'silent' && event.name === 'token.issued' && inside(event, trouble.from, trouble.to))
      silent.add(tokenOf(event));
  }
  return events.flatMap((event) => {
    const trouble = troubleOf(event);
    if (trouble?.what === 'silent' && (inside(event, trouble.from, trouble.to) || silent.has(tokenOf(event))))
      return [];
    if (trouble?.what === 'behind' && inside(event, trouble.from, trouble.to))
      return [{ ...event, arrives: event.arrives + trouble.lag }];
    return [event];
  });
}

/** Numbers what the numbering sources send, in the order of sending; lost numbers never arrive. */
export function numberEvents(
  organisation: Organisation,
  events: readonly SeedEvent[],
  start: number,
  troubles: readonly Trouble[],
): SeedEvent[] {
  const next = new Map(organisation.apps.filter(({ numbers }) => numbers).map(({ name }) => [name, 0]));
  const given = new Map<string, number>();
  const lost = new Map(troubles.flatMap((one) => (one.what === 'lost' ? [[one.app.name, { ...one }] as const] : [])));
  return events.map((event) => {
    const upcoming = next.get(event.party);
    if (upcoming === undefined) return event;
    const key = `${event.party} ${event.id}`;
    const trouble = lost.get(event.party);
    const isDue = trouble !== undefined && event.arrives - start >= trouble.from && !given.has(key);
    if (isDue) lost.delete(event.party);
    const sequence = given.get(key) ?? upcoming + (isDue ? trouble.lost : 0);
    if (!given.has(key)) next.set(event.party, sequence + 1);
    given.set(key, sequence);
    return { ...event, data: { ...event.data, sequence } } as SeedEvent;
  });
}

/** Draws so many of the troubled applications. */
export const drawTroubled = (random: Random, { troubled }: Organisation): App[] =>
  troubled.filter(() => random.chance(0.5)).slice(0, 5);
