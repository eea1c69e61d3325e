import { beforeAll, describe, expect, it } from '@jest/globals';
import { validateEventData } from '../../src/contracts/index.js';
import { DAYS, SPAN_S } from './calendar.js';
import { judge, rowsOf, type Verdict } from './judge.js';
import { KINDS } from './kinds.js';
import { readNaively } from './naive.js';
import { tellStory, type ToldStory } from './story.js';

/** 2026-11-18T12:00:00Z */
const START = Date.UTC(2026, 10, 18, 12) / 1000;

describe.each(['1', '2'])('the story of seed %s', (seed) => {
  let story: ToldStory;
  let verdict: Verdict;
  beforeAll(() => {
    story = tellStory(seed, START);
    verdict = judge(story.truth, readNaively(story));
  });

  it('has as many events as an organisation of 2,000 users in 14 days, in order of arrival, none after the end', () => {
    expect(story.organisation.people).toHaveLength(2_000);
    expect(story.end - story.start).toBe(DAYS * 86_400);
    expect(story.events.length).toBeGreaterThan(60_000);
    expect(story.events.length).toBeLessThan(120_000);
    const arrivals = story.events.map(({ arrives }) => arrives);
    expect(arrivals.every((at, nth) => nth === 0 || at >= arrivals[nth - 1]!)).toBe(true);
    expect(story.events.every(({ at, arrives }) => at >= START && arrives >= at && arrives < START + SPAN_S)).toBe(
      true,
    );
  });

  it('says only what the contract allows', () => {
    const wrong = story.events.flatMap(({ name, data }) => validateEventData(name, data) ?? []);
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it('has incidents of every kind', () => {
    expect(rowsOf([verdict]).filter(({ incidents }) => incidents === 0)).toEqual([]);
    expect(new Set(story.truth.map(({ kind }) => kind)).size).toBe(KINDS.length);
  });

  it('shows each incident in its events', () => {
    expect(
      verdict.incidents.flatMap(({ found, incident }) =>
        found.length === 0 ? [`${incident.kind}: ${incident.deed}`] : [],
      ),
    ).toEqual([]);
  });

  it('has no incident outside the truth', () => {
    expect(
      verdict.falseOnes.map(
        ({ kind, first, text }) => `${kind} on day ${((first - START) / 86_400).toFixed(2)}: ${text}`,
      ),
    ).toEqual([]);
  });
});

describe('a story', () => {
  it('is the same for the same seed, moved to another start', () => {
    const one = tellStory('3', START);
    const moved = tellStory('3', START + 3_600);
    const plain = (story: ToldStory) =>
      story.events.map(
        ({ party, name, id, at, arrives }) => `${party} ${name} ${id} ${at - story.start} ${arrives - story.start}`,
      );
    expect(plain(moved)).toEqual(plain(one));
    expect(moved.truth.map(({ first, deed }) => `${first - 3_600} ${deed}`)).toEqual(
      one.truth.map(({ first, deed }) => `${first} ${deed}`),
    );
  });
});
