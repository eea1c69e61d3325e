import { describe, expect, it } from '@jest/globals';
import { selectorKey, type SelectorKey } from '../../rules/index.js';
import { createNewestEnabling, type NewestEnabling } from './newest-enabling.js';

const TENANT_KEY = Buffer.alloc(32, 3);
const user = (sub: string): SelectorKey => selectorKey(TENANT_KEY, { user: { iss: 'https://idp.example', sub } });
/** More than twice the first capacity, so that the table grows more than once. */
const MANY = 200;

function raised(): NewestEnabling {
  const sut = createNewestEnabling();
  for (let nth = 0; nth < MANY; nth++) sut.raise(1, user(`u${nth}`), nth);
  return sut;
}

describe('the newest enabling of a name', () => {
  it('is the latest by its own time, of this speaker and this name alone', () => {
    const sut = createNewestEnabling();
    expect(sut.get(1, user('alice'))).toBe(-Infinity);
    sut.raise(1, user('alice'), 7);
    sut.raise(1, user('alice'), 5);
    expect([sut.get(1, user('alice')), sut.get(2, user('alice')), sut.get(1, user('bob')), sut.size]).toEqual([
      7,
      -Infinity,
      -Infinity,
      1,
    ]);
    sut.raise(1, user('alice'), 9);
    expect([sut.get(1, user('alice')), sut.size]).toEqual([9, 1]);
  });

  it('is there for as many as there are', () => {
    const sut = raised();
    expect(sut.size).toBe(MANY);
    expect(Array.from({ length: MANY }, (_, nth) => sut.get(1, user(`u${nth}`)))).toEqual(
      Array.from({ length: MANY }, (_, nth) => nth),
    );
  });

  it('is there after a dump and a load, and can be raised on', () => {
    const sut = createNewestEnabling();
    sut.load(raised().dump());
    expect(Array.from({ length: MANY }, (_, nth) => sut.get(1, user(`u${nth}`)))).toEqual(
      Array.from({ length: MANY }, (_, nth) => nth),
    );
    sut.raise(1, user('u7'), 1_000);
    sut.raise(1, user('new'), 1_001);
    expect([sut.get(1, user('u7')), sut.get(1, user('new')), sut.size]).toEqual([1_000, 1_001, MANY + 1]);
  });

  it('a dump that comes in two parts is loaded as one', () => {
    const [whole, other] = [raised(), createNewestEnabling()];
    other.raise(2, user('alice'), 3);
    const sut = createNewestEnabling();
    for (const part of [whole, other]) sut.load(part.dump());
    expect([sut.get(1, user('u0')), sut.get(1, user(`u${MANY - 1}`)), sut.get(2, user('alice')), sut.size]).toEqual([
      0,
      MANY - 1,
      3,
      MANY + 1,
    ]);
  });
});
