import { describe, expect, it } from '@jest/globals';
import { checkEntry, hexDump } from './check.js';
import type { Entry } from './queries.js';

const ARRIVAL_MS = 1_796_000_000_123;
const SALT = Buffer.alloc(32, 7);
const ATTRIBUTES = Buffer.from('attributes');
const BYTES = Buffer.from('{"jti":"1"}');
/** As the ledger writes them. */
const COMMITMENT = 'Dvs4OjLbJ+jxxddgyo9eQkl+xBNXFI9gHG6iQooSC6U=';
const LEAF_HASH = 'OteYw0WVFy+kgG/vaZ4QtnoVkgSXJqDC69vozrlTZdQ=';
const SOURCE = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';

const entry = (change: Partial<Entry> = {}, payload: Partial<NonNullable<Entry['payload']>> = {}): Entry =>
  ({
    index: '12',
    arrival: new Date(ARRIVAL_MS).toISOString(),
    type: 'dev.rescind.x.v1',
    source: { id: SOURCE, name: 'chat' },
    commitment: COMMITMENT,
    leaf_hash: LEAF_HASH,
    payload: {
      mode: 'binary',
      salt: SALT.toString('base64'),
      attributes: ATTRIBUTES.toString('base64'),
      bytes: BYTES.toString('base64'),
      ...payload,
    },
    ...change,
  }) as Entry;

describe('the check of an entry', () => {
  it('finds what the ledger wrote', async () => {
    expect(await checkEntry(entry())).toEqual({ commitment: true, leafHash: true });
  });

  it.each<[string, Entry]>([
    ['bytes', entry({}, { bytes: Buffer.from('{"jti":"2"}').toString('base64') })],
    ['a salt', entry({}, { salt: Buffer.alloc(32, 8).toString('base64') })],
    ['attributes', entry({}, { attributes: '' })],
  ])('tells other %s from those that were committed to', async (_what, other) => {
    expect(await checkEntry(other)).toEqual({ commitment: false, leafHash: true });
  });

  it.each<[string, Partial<Entry>]>([
    ['index', { index: '13' }],
    ['arrival', { arrival: new Date(ARRIVAL_MS + 1).toISOString() }],
    ['type', { type: 'dev.rescind.y.v1' }],
  ])('tells another %s from the one that the leaf has', async (_what, change) => {
    expect(await checkEntry(entry(change))).toEqual({ commitment: true, leafHash: false });
  });

  it('says nothing of a payload that was erased', async () => {
    expect(await checkEntry(entry({ payload: null }))).toBeUndefined();
  });
});

it('bytes are shown with what is printable', () => {
  expect(hexDump(Buffer.from('{"a":"\u202e\n"}'))).toBe(
    '000000  7b 22 61 22 3a 22 e2 80 ae 0a 22 7d              {"a":"...."}',
  );
});
