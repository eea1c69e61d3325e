import { describe, expect, it } from '@jest/globals';
import { resume, type StoredOffset } from './partition.js';

const sha256 = Buffer.alloc(32, 1);
const stored = (over: Partial<StoredOffset> = {}): StoredOffset => ({ next: 10n, lastOffset: 9n, lastSha256: sha256, stopped: null, ...over });

describe('resume', () => {
  it.each([
    ['a partition never read starts at the log', undefined, { low: 3n, high: 8n }, { action: 'resume', seek: 3n, verify: undefined }],
    ['the last record is read again and compared', stored(), { low: 0n, high: 12n }, { action: 'resume', seek: 9n, verify: { offset: 9n, sha256 } }],
    ['also when nothing new has come', stored(), { low: 0n, high: 10n }, { action: 'resume', seek: 9n, verify: { offset: 9n, sha256 } }],
    ['unless retention has taken it', stored(), { low: 10n, high: 12n }, { action: 'resume', seek: 10n, verify: undefined }],
    ['records gone unread are a gap', stored(), { low: 15n, high: 20n }, { action: 'gap', from: 10n, to: 15n }],
    ['a log that ends earlier is another log', stored(), { low: 0n, high: 4n }, { action: 'stop', reason: 'stored offset 10 lies beyond the end 4 of the log' }],
    ['a stopped partition stays stopped', stored({ stopped: 'another record' }), { low: 0n, high: 20n }, { action: 'stop', reason: 'another record' }],
  ])('%s', (_, before, bounds, expected) => {
    expect(resume(before, bounds)).toEqual(expected);
  });
});
