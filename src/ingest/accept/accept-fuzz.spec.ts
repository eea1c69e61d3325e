import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { NOW_MS, state, token, said, onTopic, byCaller, say } from '../../../test/support/arrivals/world.js';
import { REJECT_CODES } from '../../contracts/index.js';
import { accept, type Arrived } from './accept.js';

describe('accept never throws', () => {
  const headerName = fc.oneof(
    fc.constantFrom(
      'content-type',
      'ce_id',
      'ce_type',
      'ce_source',
      'ce_specversion',
      'ce_time',
      'ce___proto__',
      '__proto__',
    ),
    fc.string(),
  );
  const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
    fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
  const door = fc.constantFrom(onTopic('2-chat'), onTopic('gates'), byCaller('emitter'));
  const mode = fc.constantFrom<Arrived['mode']>('binary', 'structured', 'batch', 'ndjson');

  it('whatever bytes and headers come', () => {
    const headers = fc.array(fc.tuple(headerName, bytes(40)), { maxLength: 12 });
    const value = fc.oneof(
      bytes(200),
      fc.json().map((json) => Buffer.from(json)),
    );
    fc.assert(
      fc.property(mode, headers, value, door, (...[m, h, b, d]) => {
        expect(typeof accept({ mode: m, headers: h, bytes: b, door: d }, state, NOW_MS).accepted).toBe('boolean');
      }),
      { numRuns: 2_000 },
    );
  });

  it('whatever stands in place of one member of a good event', () => {
    const anything = fc.oneof(
      fc.json().map((json) => JSON.parse(json) as unknown),
      fc.string({ unit: 'binary' }),
      fc.double(),
    );
    const good = { ...token(), sub: 'a', act: { sub: 'b' }, cnf: { jkt: 'A'.repeat(43) }, agent: { id: 'a' } };
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(good)), anything, (member, value) => {
        const judged = say(said('token.issued', '2-chat', { ...good, [member]: value }));
        expect(judged.accepted || judged.code in REJECT_CODES).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('whatever stands in place of one attribute', () => {
    const anything = fc.oneof(
      fc.json().map((json) => JSON.parse(json) as unknown),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom('id', 'type', 'source', 'time', 'subject', 'data', 'specversion'), fc.string()),
        anything,
        (attribute, value) => {
          const event = JSON.stringify({ ...said('token.issued', '2-chat', token()), [attribute]: value });
          expect(typeof say(event).accepted).toBe('boolean');
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
