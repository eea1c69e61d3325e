import { describe, expect, it } from '@jest/globals';
import { decide, resume, type ResumePoint, type StoredOffset } from './partition.js';

const sha256 = Buffer.alloc(32, 1);
const stored = (over: Partial<StoredOffset> = {}): StoredOffset => ({
  next: 10n,
  lastOffset: 9n,
  lastSha256: sha256,
  stopped: null,
  ...over,
});

describe('resume', () => {
  it.each([
    [
      'a partition never read starts at the log',
      undefined,
      { low: 3n, high: 8n },
      { action: 'resume', seek: 3n, verify: undefined },
    ],
    [
      'the last record is read again and compared',
      stored(),
      { low: 0n, high: 12n },
      { action: 'resume', seek: 9n, verify: { offset: 9n, sha256 } },
    ],
    [
      'also when nothing new has come',
      stored(),
      { low: 0n, high: 10n },
      { action: 'resume', seek: 9n, verify: { offset: 9n, sha256 } },
    ],
    [
      'unless retention has taken it',
      stored(),
      { low: 10n, high: 12n },
      { action: 'resume', seek: 10n, verify: undefined },
    ],
    [
      'or nothing was said of it',
      stored({ lastOffset: null }),
      { low: 0n, high: 12n },
      { action: 'resume', seek: 10n, verify: undefined },
    ],
    [
      'or only its place',
      stored({ lastSha256: null }),
      { low: 0n, high: 12n },
      { action: 'resume', seek: 10n, verify: undefined },
    ],
    [
      'the first record that is still there is compared',
      stored(),
      { low: 9n, high: 12n },
      { action: 'resume', seek: 9n, verify: { offset: 9n, sha256 } },
    ],
    ['records gone unread are a gap', stored(), { low: 15n, high: 20n }, { action: 'gap', from: 10n, to: 15n }],
    [
      'a log that ends earlier is another log',
      stored(),
      { low: 0n, high: 4n },
      { action: 'stop', reason: 'beyond-the-end: stored offset 10 lies beyond the end 4 of the log' },
    ],
    [
      'a stopped partition stays stopped',
      stored({ stopped: 'another record' }),
      { low: 0n, high: 20n },
      { action: 'stop', reason: 'another record' },
    ],
  ])('%s', (_, before, bounds, expected) => {
    expect(resume(before, bounds)).toEqual(expected);
  });
});

describe('decide', () => {
  const log = { low: 3n, high: 20n };
  it.each<[string, ResumePoint, Partial<StoredOffset>, ReturnType<typeof decide>]>([
    ['on at the stored offset skips nothing', 'stored', {}, { next: 10n, skipped: undefined }],
    ['from the start skips nothing', 'earliest', {}, { next: 3n, skipped: undefined }],
    ['from the end skips the rest', 'latest', {}, { next: 20n, skipped: { from: 10n, to: 20n } }],
    ['an offset further on skips what lies between', 12n, {}, { next: 12n, skipped: { from: 10n, to: 12n } }],
    ['the end itself is an offset', 20n, {}, { next: 20n, skipped: { from: 10n, to: 20n } }],
    ['one beyond it is none', 21n, {}, undefined],
    ['nor is one before the start', 2n, {}, undefined],
    ['nor is a stored one beyond the end', 'stored', { next: 30n }, undefined],
    [
      'nothing was read of a log that was replaced',
      'stored',
      { stopped: 'made-anew: another record' },
      { next: 10n, skipped: { from: 3n, to: 10n } },
    ],
    ['nor of one that ends earlier', 'latest', { next: 30n }, { next: 20n, skipped: { from: 3n, to: 20n } }],
    [
      'from its start it is read whole',
      'earliest',
      { stopped: 'made-anew: another record' },
      { next: 3n, skipped: undefined },
    ],
  ])('%s', (_, at, over, expected) => {
    expect(decide(at, stored({ stopped: 'unreadable: a record set', ...over }), log)).toEqual(expected);
  });
});
