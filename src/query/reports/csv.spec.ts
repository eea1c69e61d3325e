import { expect, it } from '@jest/globals';
import { csvTime } from './csv.js';

it('says times for people', () =>
  expect([csvTime(1_790_000_000), csvTime(null)]).toEqual(['2026-09-21T14:13:20Z', null]));
