import { expect, it } from '@jest/globals';
import { createProgressBar } from './progress-bar.js';

it('tells how far it is, how fast, and how long it takes', () => {
  const sut = createProgressBar();
  expect(sut.line(0n, 1_000_000n, 0)).toBe(`[${' '.repeat(24)}] 0 %  0 of 1,000,000 events`);
  expect(sut.line(250_000n, 1_000_000n, 10_000)).toBe(
    `[######${' '.repeat(18)}] 25 %  250,000 of 1,000,000 events  25,000/s  30 s left`,
  );
  // The rate covers the last ten seconds, which are slower.
  expect(sut.line(300_000n, 1_000_000n, 20_000)).toBe(
    `[#######${' '.repeat(17)}] 30 %  300,000 of 1,000,000 events  5,000/s  3 min left`,
  );
  // The total has grown meanwhile.
  expect(sut.line(300_001n, 100_000_000n, 30_001)).toBe(`[${' '.repeat(24)}] 0 %  300,001 of 100,000,000 events`);
});

it('knows an end', () => {
  const sut = createProgressBar();
  sut.line(0n, 10n, 0);
  expect(sut.line(10n, 10n, 1_000)).toBe(`[${'#'.repeat(24)}] 100 %  10 of 10 events  10/s`);
  expect(createProgressBar().line(0n, 0n, 0)).toBe(`[${'#'.repeat(24)}] 100 %  0 of 0 events`);
  const slow = createProgressBar();
  slow.line(0n, 1_000_000n, 0);
  expect(slow.line(1_000n, 1_000_000n, 10_000)).toMatch(/100\/s {2}2 h 47 min left$/);
});
