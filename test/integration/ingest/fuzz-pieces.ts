import * as fc from 'fast-check';
import { buildEvent } from '../../../src/emit/index.js';
import { access, RAS } from '../../support/stage.js';

/** Other with each run; the title of a spec shows it, and `FUZZ_SEED` repeats it. */
export const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);

/** The text of one event in a body or a record. */
export interface Piece {
  readonly bytes: Buffer;
  /** The event's id, if nothing is wrong with the event. */
  readonly goodId: string | undefined;
}

let made = 0;

/** A usage event, under an id of its own or one that was used, in a spelling of its own. */
export const goodPieces = (source: string): fc.Arbitrary<Piece> =>
  fc
    .record({
      again: fc.boolean(),
      indent: fc.constantFrom(0, 0, 1, '\t'),
      member: fc.constantFrom({}, { partitionkey: 'k' }),
    })
    .map(({ again, indent, member }) => {
      if (!again || made === 0) made += 1;
      const id = `fuzz-${made}`;
      const event = buildEvent('access.allowed', {
        source,
        id,
        time: new Date('2026-01-01T00:00:00Z'),
        data: access({ token: { iss: RAS, jti: id } }),
      });
      return { bytes: Buffer.from(JSON.stringify({ ...event, ...member }, null, indent)), goodId: id };
    });

const anyBytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));

/** JSON as few write it: numbers without bounds, deep nesting, names said twice. */
const strangeJson = fc.oneof(
  fc.json(),
  fc.constantFrom(
    '1e400',
    '-0',
    '9'.repeat(400),
    '1E-400',
    'null',
    '""',
    '"\\ud800"',
    '"\\u0000"',
    '{"a":1,"a":2}',
    '{"__proto__":{"id":"x"}}',
    '[[[[{}]]]]',
    '{}',
    '[]',
    'NaN',
  ),
  fc.integer({ min: 1, max: 20_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 1, max: 20_000 }).map((depth) => '{"a":'.repeat(depth)),
);

/** A good event with something done to it; whether it is still good is not known. */
const harmedPieces = (source: string): fc.Arbitrary<Buffer> =>
  fc
    .record({ good: goodPieces(source), at: fc.nat(), how: fc.nat(6), bytes: anyBytes(8), json: strangeJson })
    .map(({ good, at, how, bytes, json }) => {
      const position = at % good.bytes.length;
      const [before, after] = [good.bytes.subarray(0, position), good.bytes.subarray(position)];
      const text = good.bytes.toString();
      switch (how) {
        case 0:
          return before;
        case 1:
          return Buffer.concat([before, bytes, after]);
        case 2:
          return Buffer.concat([before, bytes, after.subarray(bytes.length)]);
        case 3:
          return Buffer.from(text.replace(/"(read|1\.0|rs|fuzz-\d+)"/, () => json));
        case 4:
          return Buffer.from(text.replace(/"data"\s*:/, (member) => `${member}${json},${member}`));
        case 5:
          return Buffer.from(text.replace(/"operation"/, () => `"sequence":${json},"operation"`));
        default:
          return Buffer.concat([good.bytes, bytes]);
      }
    });

export const pieces = (source: string): fc.Arbitrary<Piece> =>
  fc.oneof(
    { weight: 4, arbitrary: goodPieces(source) },
    { weight: 3, arbitrary: harmedPieces(source).map((bytes) => ({ bytes, goodId: undefined })) },
    {
      weight: 1,
      arbitrary: fc
        .oneof(
          anyBytes(64),
          strangeJson.map((json) => Buffer.from(json)),
        )
        .map((bytes) => ({ bytes, goodId: undefined })),
    },
  );
