import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { EVENT_NAMES, eventType, knownData } from '../index.js';

const sample = (name: (typeof EVENT_NAMES)[number]): Record<string, unknown> =>
  (
    JSON.parse(readFileSync(new URL(`../samples/${eventType(name)}.json`, import.meta.url), 'utf8')) as {
      data: Record<string, unknown>;
    }
  ).data;

describe('knownData', () => {
  it.each(EVENT_NAMES)('%s: is the same object when every member is known', (name) => {
    const data = sample(name);
    expect(knownData(name, data)).toBe(data);
  });

  it.each(EVENT_NAMES)('%s: leaves out a member that the schema does not name', (name) => {
    const data = sample(name);
    expect(knownData(name, { ...data, later: { a: 1 }, ['__proto__x']: 1 })).toEqual(data);
  });

  it('leaves them out at every depth, also in lists, and does not change what came', () => {
    const data = {
      iss: 'a',
      idp_client_id: 'b',
      ras: [
        { iss: 'c', client_id: 'd' },
        { iss: 'e', client_id: 'f', later: 1 },
      ],
      later: 2,
    };
    const before = structuredClone(data);
    expect(knownData('client.disabled', data)).toEqual({
      iss: 'a',
      idp_client_id: 'b',
      ras: [
        { iss: 'c', client_id: 'd' },
        { iss: 'e', client_id: 'f' },
      ],
    });
    expect(data).toEqual(before);
  });

  it('leaves out a member whose name an object has of itself', () => {
    const data = JSON.parse(
      '{"iss":"a","sid":"s","sub":"u","__proto__":{"iss":"b"},"toString":1,"constructor":2}',
    ) as object;
    const read = knownData('session.ended', data) as object;
    expect(Object.keys(read)).toEqual(['iss', 'sid', 'sub']);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  });

  it('keeps the claims of an actor, which come back as issued', () => {
    const data = { act: { sub: 'a', vendor: 'x', act: { sub: 'b', level: 2 } } };
    expect(knownData('token.issued', data)).toBe(data);
  });

  it.each([[null], [[]], ['x'], [1], [undefined]])('leaves %p to the validator', (data) =>
    expect(knownData('session.ended', data)).toBe(data),
  );
});
