import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { base64, judge, said, token } from '../../../test/support/arrivals/world.js';
import { canonicalJson } from '../../contracts/index.js';
import { contentOf, type Accepted, type Arrived } from './accept.js';

interface Made {
  readonly id: string;
  readonly subject?: string;
  readonly ms: number;
  readonly scope: string;
  readonly later?: unknown;
  readonly mode: Arrived['mode'];
  readonly isEncoded: boolean;
  readonly spaces: number;
}

const MAX_ID_BYTES = 512;
const hasNul = (value: unknown): boolean => JSON.stringify(value).includes('\\u0000');

/** Events with a member that nobody reads, in texts of any script. */
const events: fc.Arbitrary<Made> = fc.record(
  {
    id: fc
      .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
      .filter((id) => !hasNul(id) && Buffer.byteLength(id) <= MAX_ID_BYTES),
    subject: fc.constantFrom('at-1', 'Grüße 🙂'),
    ms: fc.integer({ min: 0, max: 999 }),
    scope: fc.constantFrom('chat.read', 'chat.read chat.write'),
    later: fc.jsonValue({ maxDepth: 3 }).filter((value) => !hasNul(value)),
    mode: fc.constantFrom('binary', 'structured', 'batch', 'ndjson'),
    isEncoded: fc.boolean(),
    spaces: fc.constantFrom(0, 1, 4),
  },
  { requiredKeys: ['id', 'ms', 'scope', 'mode', 'isEncoded', 'spaces'] },
);

/** Makes the content from the event itself, and the event's payload as a source sends it. */
function made({ id, subject, ms, scope, later, mode, isEncoded, spaces }: Made) {
  const data = { ...token({ scope }), ...(later === undefined ? {} : { later }) };
  const time = new Date(Date.UTC(2026, 9, 1) + ms).toISOString();
  const event = said('token.issued', '2-chat', data, { id, time, ...(subject === undefined ? {} : { subject }) });
  const { data: _, ...attributes } = event;
  const content = canonicalJson({ ...event, specversion: undefined });
  const text = (value: unknown): Buffer => Buffer.from(JSON.stringify(value, null, spaces));
  if (mode !== 'binary') {
    const headers = [['content-type', Buffer.from('application/cloudevents+json')]] as const;
    return { content, mode, headers, bytes: text(isEncoded ? { ...attributes, data_base64: base64(data) } : event) };
  }
  const headers = Object.entries({ ...attributes, trace: '1' }).map(
    ([name, value]) => [name === 'trace' ? 'x-trace' : `ce_${name}`, Buffer.from(String(value))] as const,
  );
  return { content, mode, headers, bytes: text(data) };
}

describe('the content of an event', () => {
  it('is the same from the event, from what arrived and from what is stored', () => {
    fc.assert(
      fc.property(events, (event) => {
        const { content, ...arrived } = made(event);
        const judged = judge(arrived) as Accepted;
        expect(judged).toMatchObject({ accepted: true });
        expect(contentOf(judged.arrived)).toBe(content);
        // The ledger keeps the attributes alone, in another order.
        const headers = judged.attributes.toReversed();
        expect(contentOf({ mode: judged.arrived.mode, headers, bytes: judged.arrived.bytes })).toBe(content);
      }),
    );
  });
});
