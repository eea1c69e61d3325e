import { describe, expect, it } from '@jest/globals';
import { makeHistory } from './history.js';
import { tellIncidents } from './incidents/index.js';
import { createOrganisation } from './organisation.js';
import type { SeedEvent } from './seed-event.js';

const DAY_S = 86_400;
const HOUR_S = 3_600;
const A_DAY = 2_000;
/** A Friday evening. */
const END = Date.UTC(2026, 10, 20, 18) / 1000;

/** Generates everything anew from the seed, `events` and `days`, as `rescind seed` does. */
function observe(days: number) {
  const organisation = createOrganisation({ seed: 'spec', domain: 'corp.example' });
  const told = tellIncidents(organisation, END);
  const start = END - days * DAY_S;
  return {
    organisation,
    start,
    told,
    events: [...makeHistory({ organisation, seed: 'spec', events: A_DAY * days, start, end: END, told })],
  };
}
const [nine, ninety] = [observe(9), observe(90)];

const count = (events: readonly SeedEvent[], of: (event: SeedEvent) => string | undefined): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const event of events) {
    const key = of(event);
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
};
const userOf = ({ name, data }: SeedEvent): string | undefined =>
  name === 'id-jag.issued' ? (data as SeedEvent<'id-jag.issued'>['data']).sub : undefined;
const clientOf = ({ name, data }: SeedEvent): string | undefined =>
  name === 'id-jag.issued' ? (data as SeedEvent<'id-jag.issued'>['data']).idp_client_id : undefined;
const appOf = ({ party }: SeedEvent): string | undefined => (party === 'idp' ? undefined : party);
const inDays = (events: readonly SeedEvent[], from: number, to: number): readonly SeedEvent[] =>
  events.filter(({ at }) => at >= from && at < to);

describe('nine days and ninety of one seed, at one pace', () => {
  it('are of the same users, clients, applications and approvals', () => {
    const { users, clients, apps, connections } = nine.organisation;
    expect({ users, clients, connections: [...connections.values()] }).toEqual({
      users: ninety.organisation.users,
      clients: ninety.organisation.clients,
      connections: [...ninety.organisation.connections.values()],
    });
    expect(apps).toEqual(ninety.organisation.apps);
    const approved = ({ events, start }: typeof nine) =>
      inDays(events, start, start + 3 * HOUR_S).flatMap(({ name, data }) =>
        name === 'connection.created' ? [data] : [],
      );
    expect(approved(nine).length).toBeGreaterThan(300);
    expect(approved(nine)).toEqual(approved(ninety));
  });

  it('have the same incidents at the same times', () => {
    expect(nine.told).toEqual(ninety.told);
  });

  it('are busy to the same degree: the same people, clients and applications the most, and as much in a working week', () => {
    const { users } = nine.organisation;
    const shares: [number, number][] = [];
    for (const [of, leading] of [
      [userOf, users.slice(0, 250)],
      [clientOf, ['portal', 'assistant', 'mobile']],
      [appOf, ['crm', 'orders', 'files']],
    ] as const) {
      const share = ({ events }: typeof nine): number => {
        const counts = count(events, of);
        return (
          leading.reduce((sum, one) => sum + (counts.get(one) ?? 0), 0) /
          [...counts.values()].reduce((sum, n) => sum + n, 0)
        );
      };
      shares.push([share(nine), share(ninety)]);
    }
    for (const [shorter, longer] of shares) expect(Math.abs(shorter - longer)).toBeLessThan(0.05);
    expect(Math.min(...shares.flat())).toBeGreaterThan(0.15);
    const week = ({ events }: typeof nine): number => inDays(events, END - 7 * DAY_S, END).length;
    expect(week(nine)).toBeGreaterThan(A_DAY * 5);
    expect(week(nine) / week(ninety)).toBeGreaterThan(0.9);
    expect(week(nine) / week(ninety)).toBeLessThan(1.1);
  });
});
