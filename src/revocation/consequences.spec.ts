import { describe, expect, it } from '@jest/globals';
import type { Caller, ControlState, Tenant } from '../control/index.js';
import type { Selector } from '../rules/index.js';
import type { Confirm } from './confirmation.js';
import { createConsequences } from './consequences.js';
import type { Order } from './order-input.js';
import type { Preview } from '../selection/index.js';
import type { Surroundings } from './preview/surroundings.pg.js';

const IDP = 'https://idp.example';
const tenant = { id: 't' } as Tenant;
const analyst = { id: 'analyst', tenant: 't', roles: { revoke: { tenant: true } } } as Caller;
const narrow = { id: 'narrow', tenant: 't', roles: { revoke: { issuers: [IDP], resources: [] } } } as unknown as Caller;
const counts = (users: number, tokens = users): Preview =>
  ({ as_of: { index: '9' }, users, tokens, used_in_last_hour: 0, grants: users, connections: 0 }) as Preview;
const order = (confirm?: Confirm, selector: Selector = { issuer: IDP }): Order => ({
  selector,
  effect: 'block',
  reauthenticate: false,
  reason: 'x',
  ...(confirm === undefined ? {} : { confirm }),
});
const ofFirst = async (): Promise<boolean> => false;
const ofReplay = async (): Promise<boolean> => true;

/** `hits` and `all`: counted numbers. Undefined never answers; an error fails. */
function create({
  hits,
  all = counts(1_000),
  share = 10,
  around,
}: {
  hits?: Preview | Error;
  all?: Preview | Error | undefined;
  share?: number;
  around?: Surroundings;
}) {
  const asked: string[] = [];
  const answer = (value: Preview | Error | undefined): Promise<Preview> =>
    value instanceof Error
      ? Promise.reject(value)
      : value === undefined
        ? new Promise(() => undefined)
        : Promise.resolve(value);
  const sut = createConsequences({
    state: { sources: () => [] } as unknown as ControlState,
    previews: {
      read: (_tenant, { selector }) => {
        asked.push(Object.keys(selector).join());
        return answer(selector.all === true ? all : hits);
      },
    },
    surroundings: {
      read: () => (around ? Promise.resolve(around) : Promise.reject(new Error('away'))),
      readUnknown: async () => around?.unknown ?? [],
    },
    freshUsers: 100,
    share,
    // Long enough for a count that answers, short enough for one that never does.
    waits: { askMs: hits === undefined ? 5 : 30_000, tellMs: hits === undefined ? 5 : 30_000 },
    now: () => 1,
  });
  return { sut, asked };
}

describe('an order that may hit many', () => {
  it('is refused with the number, and taken with it', async () => {
    const { sut, asked } = create({ hits: counts(400) });
    await expect(sut.ask(analyst, tenant, order(), 5, ofFirst)).rejects.toMatchObject({
      code: 'confirmation-required',
      extensions: { confirm: 400, by: 'users', of: 1_000, hits: { users: 400 } },
    });
    expect(asked).toEqual(['issuer', 'all']);
    await expect(sut.ask(analyst, tenant, order(true), 5, ofFirst)).rejects.toMatchObject({
      extensions: { confirm: 400 },
    });
    await expect(sut.ask(analyst, tenant, order('uncounted'), 5, ofFirst)).rejects.toMatchObject({
      extensions: { confirm: 400 },
    });
    expect(await sut.ask(analyst, tenant, order(410), 5, ofFirst)).toEqual(counts(400));
  });

  it('is not refused where it was taken before', async () => {
    expect(await create({ hits: counts(400) }).sut.ask(analyst, tenant, order(), 5, ofReplay)).toEqual(counts(400));
    expect(await create({}).sut.ask(analyst, tenant, order(), 5, ofReplay)).toBeUndefined();
  });

  it('does not tell how much there is to who may not read it', async () => {
    await expect(create({ hits: counts(400) }).sut.ask(narrow, tenant, order(), 5, ofFirst)).rejects.toMatchObject({
      extensions: { confirm: 400, of: null },
    });
  });

  it('is asked about too where nobody can say how much there is in all', async () => {
    await expect(
      create({ hits: counts(400), all: new Error('away') }).sut.ask(analyst, tenant, order(), 5, ofFirst),
    ).rejects.toMatchObject({ extensions: { confirm: 400, of: null } });
  });

  it.each([
    ['never', undefined],
    ['with an error', new Error('away')],
  ])('wants the word, or any number, where the count comes %s', async (_name, hits) => {
    const { sut } = create(hits ? { hits } : {});
    await expect(sut.ask(analyst, tenant, order(), 5, ofFirst)).rejects.toMatchObject({
      code: 'confirmation-required',
      extensions: { confirm: 'uncounted', hits: null },
    });
    await expect(sut.ask(analyst, tenant, order(true), 5, ofFirst)).rejects.toMatchObject({
      extensions: { confirm: 'uncounted' },
    });
    for (const confirm of ['uncounted', 7] as const)
      expect(await sut.ask(analyst, tenant, order(confirm), 5, ofFirst)).toBeUndefined();
  });

  it('that hits few needs no total, and no confirmation', async () => {
    const { sut, asked } = create({ hits: counts(19) });
    expect(await sut.ask(analyst, tenant, order(), 5, ofFirst)).toEqual(counts(19));
    expect(asked).toEqual(['issuer']);
  });

  it.each<[string, Order, number]>([
    ['on a user', order(undefined, { user: { iss: IDP, sub: 'a' } }), 10],
    ['on everything, which has a confirmation of its own', order(true, { all: true }), 10],
    ['where nothing is asked about', order(), 100],
  ])('is not counted %s', async (_name, given, share) => {
    const { sut, asked } = create({ hits: counts(400), share });
    expect(await sut.ask(analyst, tenant, given, 5, ofFirst)).toBeUndefined();
    expect(asked).toEqual([]);
  });
});

describe('a preview', () => {
  it.each<[string, Order, number, object]>([
    ['of many', order(), 10, { confirm: 400, unknown: [] }],
    ['of many where nothing is asked about', order(), 100, { unknown: [] }],
    ['of a user', order(undefined, { user: { iss: IDP, sub: 'a' } }), 10, { unknown: [] }],
  ])('%s says what it takes', async (_name, given, share, foreseen) => {
    expect(await create({ hits: counts(400), share }).sut.foresee(tenant, given, counts(400), 5)).toEqual(foreseen);
  });

  it('names what nobody has told of, unless it hits something', async () => {
    const around = { unknown: ['user'], other_rules: { rules: [], more: 0 } } as const;
    const { sut } = create({ hits: counts(0), around });
    expect(await sut.foresee(tenant, order(), counts(0), 5)).toEqual({ unknown: ['user'] });
    expect(await sut.foresee(tenant, order(), counts(1), 5)).toEqual({ unknown: [] });
  });
});

describe('what an order comes to', () => {
  const about = { tenant, caller: analyst, selection: { selector: { issuer: IDP } }, apart: [] };
  const around = { unknown: ['issuer'], other_rules: { rules: [], more: 3 } } as const;

  it('is told', async () => {
    const { sut } = create({ hits: counts(0), around });
    expect(await sut.tell(about, sut.count(tenant, order(), 5))).toEqual({
      hits: counts(0),
      unknown: ['issuer'],
      other_rules: { rules: [], more: 3 },
    });
  });

  it('is null as far as it cannot be found out', async () => {
    const { sut } = create({});
    expect(await sut.tell(about, sut.count(tenant, order(), 5))).toEqual({
      hits: null,
      unknown: null,
      other_rules: null,
    });
  });
});
