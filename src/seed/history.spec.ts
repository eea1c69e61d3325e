import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { validateEventData } from '../contracts/index.js';
import { makeHistory } from './history.js';
import { tellIncidents } from './incidents/index.js';
import { RESERVED } from './names.js';
import { createOrganisation } from './organisation.js';
import type { SeedEvent } from './seed-event.js';

const END = Date.UTC(2026, 10, 20, 18) / 1000;
const START = END - 12 * 86_400;
const EVENTS = 20_000;
const organisation = createOrganisation({ seed: 'spec', domain: 'corp.example' });
const told = tellIncidents(organisation, END);

const make = (seed: string): SeedEvent[] => [
  ...makeHistory({ organisation, seed, events: EVENTS, start: START, end: END, told }),
];
const digest = (events: readonly SeedEvent[]): string =>
  createHash('sha256').update(JSON.stringify(events)).digest('hex');

let history: SeedEvent[];
beforeAll(() => {
  history = make('one');
});

describe('the history of an organisation', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(digest(make('one'))).toBe(digest(history));
    expect(digest(make('two'))).not.toBe(digest(history));
  });

  it('has as many events as were asked for, in the order of their arrival, none before it happened or after the end', () => {
    expect(history.length).toBe(EVENTS);
    for (const [nth, { at, arrives }] of history.entries()) {
      expect(at).toBeGreaterThanOrEqual(START);
      expect(arrives).toBeGreaterThanOrEqual(at);
      expect(arrives).toBeLessThan(END);
      expect(arrives).toBeGreaterThanOrEqual(history[nth - 1]?.arrives ?? START);
    }
  });

  it('says nothing that the schemas refuse', () => {
    expect(history.flatMap(({ name, data }) => validateEventData(name, data) ?? [])).toEqual([]);
  });

  it('says the same under an id that comes twice', () => {
    const said = new Map<string, string>();
    let twice = 0;
    for (const { party, id, name, at, data } of history) {
      const content = JSON.stringify({ name, at, data });
      const known = said.get(`${party} ${id}`);
      if (known !== undefined) twice += 1;
      expect(known ?? content).toBe(content);
      said.set(`${party} ${id}`, content);
    }
    expect(twice).toBeGreaterThan(0);
  });

  it('leaves those of the incidents to the incidents', () => {
    const names = [
      ...RESERVED.users,
      ...RESERVED.clients.flatMap((client) => [`"${client}"`, `"${client}-at-`]),
      ...RESERVED.apps.map((app) => `api.${app}.`),
    ];
    const toldIds = new Set(told.map(({ party, id }) => `${party} ${id}`));
    const isTold = ({ party, id }: SeedEvent): boolean => toldIds.has(`${party} ${id}`);
    const others = history.filter((event) => !isTold(event));
    expect(others.filter(({ data }) => names.some((name) => JSON.stringify(data).includes(name)))).toEqual([]);
    expect(history.filter(isTold).length).toBe(told.length);
  });

  it('works in working hours', () => {
    const isNight = ({ at }: SeedEvent): boolean => new Date(at * 1000).getUTCHours() < 6;
    const calls = history.filter(({ name }) => name === 'access.allowed');
    expect(calls.filter(isNight).length).toBeGreaterThan(0);
    expect(calls.filter(isNight).length).toBeLessThan(calls.length / 8);
  });
});
