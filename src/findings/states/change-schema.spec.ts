import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { FINDING_NAMES, FINDING_STATES, RescindError } from '../../contracts/index.js';
import { CHANGE, readChange } from './change-input.js';

const NOW = 1_795_600_000;
/** Refusals that no schema can say. */
const UNSAYABLE = ['time-not-future', 'time-out-of-range', 'token-in-request'];

const isValid = new Ajv2020({ strict: false }).compile(CHANGE);

function refusal(body: unknown): string | undefined {
  try {
    readChange(body, NOW);
    return undefined;
  } catch (error) {
    if (error instanceof RescindError) return error.code;
    throw error;
  }
}

const text = fc.constantFrom(
  'a',
  '',
  ' ',
  '\0',
  'x'.repeat(512),
  'x'.repeat(513),
  'x'.repeat(1_024),
  'x'.repeat(1_025),
  1,
  null,
);
const body = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      {
        state: fc.constantFrom(...FINDING_STATES, 'ghost', 1, null),
        reason: fc.oneof({ weight: 2, arbitrary: fc.constant('a scanner') }, { weight: 1, arbitrary: text }),
        until: fc.constantFrom(NOW - 60, NOW + 60, '2h', '7d', '2030-01-01', 946_684_799, 1.5, 'soon', null),
        same: fc.oneof(
          { weight: 3, arbitrary: fc.uniqueArray(fc.constantFrom(...FINDING_NAMES)) },
          { weight: 1, arbitrary: fc.constantFrom(['user', 'user'], ['ghost'], 'user', [], null, {}) },
        ),
        on_behalf_of: text,
        other: text,
      },
      { requiredKeys: [] },
    ),
  },
  fc.constantFrom([], null, 'x', 1, {}),
);

/** One good member at a time is made another, so that half of what is tried is taken. */
const nearly = fc
  .tuple(
    fc.constantFrom(
      { state: 'open' },
      { state: 'open', same: ['user'] },
      { state: 'acknowledged', reason: 'a', on_behalf_of: 'dana' },
      { state: 'resolved' },
      { state: 'false-alarm', reason: 'a', until: '2h' },
      { state: 'muted', reason: 'a', until: NOW + 60, same: ['client', 'user'] },
    ),
    body,
    fc.subarray(['state', 'reason', 'until', 'same', 'on_behalf_of'], { maxLength: 2 }),
  )
  .map(([good, other, names]) => ({
    ...good,
    ...Object.fromEntries(Object.entries(other ?? {}).filter(([name]) => names.includes(name))),
  }));

describe('the schema of a change', () => {
  it('allows what the reader takes, and the reader takes what it allows, but for the clock', () => {
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof(body, nearly), (change) => {
        const code = refusal(change);
        if (code === undefined) seen.taken += 1;
        else seen.refused += 1;
        if (code === undefined || !UNSAYABLE.includes(code))
          expect({ change, valid: isValid(change) }).toEqual({ change, valid: code === undefined });
      }),
      { numRuns: 4_000, seed: 1 },
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(100);
  });

  it('counts a duration onwards, and has the names in one order', () => {
    const read = readChange({ state: 'muted', reason: 'a', until: '1d', same: ['client', 'user'] }, NOW);
    expect(read).toEqual({ state: 'muted', reason: 'a', until: NOW + 86_400, same: ['user', 'client'] });
  });
});
