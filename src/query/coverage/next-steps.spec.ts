import { expect, it } from '@jest/globals';
import { wasLast } from './next-steps.js';

it.each([
  ['nothing came', undefined, undefined, false],
  ['an event alone', undefined, '1000', false],
  ['a refusal alone', '1000', undefined, true],
  ['a good event later in the same second', '1000', '1001', false],
  ['a refusal later in the same second', '1001', '1000', true],
])('whether the last thing that came was refused: %s', (_what, refused, arrived, last) => {
  expect(
    wasLast(
      refused === undefined ? undefined : { at_ms: refused },
      arrived === undefined ? undefined : { arrival: arrived },
    ),
  ).toBe(last);
});
