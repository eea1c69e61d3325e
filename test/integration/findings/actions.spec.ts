import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RescindError } from '../../../src/contracts/index.js';
import { decideByHits, decideWithoutHits } from '../../../src/findings/actions/decide.js';
import { cleanUp } from '../../support/cleanups.js';
import { startActing, type Acting } from './acting.js';

let acting: Acting;
const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  acting = await startActing(cleanups);
});

let users = 0;
let user: string;
/** A user of its own for each spec. */
beforeEach(() => {
  user = `user-${++users}`;
});
const rulesOf = async (finding: string) =>
  (await acting.rules()).filter(({ reason }) => reason === `finding ${finding}`);
/** The news about rules of a finding. */
const newsOf = async (finding: string) =>
  (
    await acting.pool.query<{ what: string }>(
      "SELECT what FROM finding_news WHERE finding = $1 AND what LIKE 'rule-%' ORDER BY seq",
      [finding],
    )
  ).rows.map(({ what }) => what);
/** Cap that leaves room for the orders of all specs. */
const ROOM = { cap: { users: 1, tokens: 20, per_hour: 100 } };

describe('the action of a detection', () => {
  it('is off until an administrator sets it', async () => {
    const { items } = await acting.done('GET', '/v1/detections');
    expect(new Set(items.map((one: { action: string }) => one.action))).toEqual(new Set(['off']));
    await acting.exports(user);
    await acting.find();
    await acting.act();
    expect(await acting.finding(user)).toMatchObject({ state: 'open', action: null });
    expect(await acting.rules()).toEqual([]);
  });

  it('is a dry run if nothing else is said: the finding says what would have been ordered, and nothing is', async () => {
    expect(await acting.set(ROOM)).toMatchObject({ kind: 'bulk-export', action: 'dry-run', ...ROOM });
    const text = await acting.exports(user);
    await acting.find();
    await acting.act();
    const { id, action, stop } = await acting.finding(user);
    expect(await newsOf(id)).toEqual([]);
    expect(action).toMatchObject({
      action: 'dry-run',
      outcome: 'would-order',
      says: 'Dry run: its detection would have ordered the rule, which hits 1 user and 1 live token.',
      selector: stop!.selector,
      rule: null,
    });
    expect(await acting.isActive(text)).toBe(true);
    expect(await acting.rules()).toEqual([]);
  });

  it('`block` orders the rule of a finding once, as the detection, and shows it', async () => {
    await acting.set({ action: 'block', ...ROOM });
    const text = await acting.exports(user);
    await acting.find();
    await acting.act();
    const { id, action, stop } = await acting.finding(user);
    expect(action).toMatchObject({ action: 'block', outcome: 'ordered', hits: { users: 1, tokens: 1 } });
    expect(await acting.isActive(text)).toBe(false);
    expect(await rulesOf(id)).toMatchObject([
      {
        id: action!.rule,
        effect: 'block',
        selector: stop!.selector,
        reason: `finding ${id}`,
        author: { caller: 'detection:bulk-export' },
      },
    ]);
    expect(await newsOf(id)).toEqual(['rule-ordered']);
    await acting.reads(text, 10);
    await acting.find();
    await acting.act();
    expect((await acting.finding(user)).count).toBe(2);
    expect(await newsOf(id)).toEqual(['rule-ordered']);
    expect(await rulesOf(id)).toHaveLength(1);
  });
});

it('a decision stands until the action is changed, whatever evidence comes', async () => {
  await acting.set({ action: 'block', ...ROOM });
  const text = await acting.exports(user);
  await acting.find();
  await acting.act({ orders: { ...acting.orders, foresee: async () => ({ users: 9, tokens: 9 }) } });
  await acting.reads(text, 10);
  await acting.find();
  await acting.act();
  expect((await acting.finding(user)).action).toMatchObject({ outcome: 'over-cap' });
  expect(await acting.isActive(text)).toBe(true);
});

describe('the cap of a detection', () => {
  const block = (cap: object) => acting.set({ action: 'block', cap: { ...ROOM.cap, ...cap } });

  it('on tokens keeps a rule that hits more from being ordered, and the finding says so', async () => {
    await block({ tokens: 2 });
    const texts = [await acting.exports(user), await acting.token(user), await acting.token(user)];
    await acting.find();
    await acting.act();
    const { id, action } = await acting.finding(user);
    expect(action).toMatchObject({
      outcome: 'over-cap',
      says: 'Its detection ordered no rule: the rule hits 1 user and 3 live tokens, and the cap is 1 user and 2 live tokens.',
      rule: null,
    });
    expect(await rulesOf(id)).toEqual([]);
    expect(await newsOf(id)).toEqual(['rule-held-back']);
    expect(await acting.isActive(texts[0]!)).toBe(true);
    await block({ tokens: 3 });
    await acting.act();
    expect((await acting.finding(user)).action).toMatchObject({ outcome: 'over-cap' });
    await acting.reads(texts[0]!, 10);
    await acting.find();
    await acting.act();
    expect((await acting.finding(user)).action).toMatchObject({ outcome: 'ordered' });
    expect(await newsOf(id)).toEqual(['rule-held-back', 'rule-ordered']);
  });

  it('is told of a dry run by the finding alone', async () => {
    await acting.set({ action: 'dry-run', cap: { ...ROOM.cap, tokens: 1 } });
    await acting.token(user);
    await acting.exports(user);
    await acting.find();
    await acting.act();
    const { id, action } = await acting.finding(user);
    expect(action).toMatchObject({ action: 'dry-run', outcome: 'over-cap' });
    expect(await newsOf(id)).toEqual([]);
  });

  it('on users keeps a rule that hits more from being ordered', async () => {
    await block({});
    const { outcome, why } = decideByHits('block', { users: 1, tokens: 20, per_hour: 5 }, {}, { users: 2, tokens: 2 });
    expect({ outcome, why }).toEqual({
      outcome: 'over-cap',
      why: 'the rule hits 2 users and 2 live tokens, and the cap is 1 user and 20 live tokens',
    });
    await acting.exports(user);
    await acting.find();
    await acting.act({ orders: { ...acting.orders, foresee: async () => ({ users: 2, tokens: 2 }) } });
    expect((await acting.finding(user)).action).toMatchObject({ outcome: 'over-cap' });
    expect(await rulesOf((await acting.finding(user)).id)).toEqual([]);
  });

  it('keeps a rule from being ordered whose hits could not be counted to the end, or that a person must confirm', async () => {
    await block({});
    await acting.exports(user);
    await acting.find();
    await acting.act({ orders: { ...acting.orders, foresee: async () => ({ users: 1, tokens: 1, at_least: true }) } });
    expect((await acting.finding(user)).action).toMatchObject({ outcome: 'over-cap' });
    const other = `${user}-too`;
    await acting.exports(other);
    await acting.find();
    await acting.act({ orders: { ...acting.orders, foresee: async () => ({ users: 1, tokens: 1, confirm: 1 }) } });
    expect((await acting.finding(other)).action).toMatchObject({ outcome: 'refused' });
    expect(await newsOf((await acting.finding(other)).id)).toEqual(['rule-held-back']);
    expect(await rulesOf((await acting.finding(other)).id)).toEqual([]);
  });

  it('on rules an hour counts those that the detection ordered, in every process, and begins anew an hour later', async () => {
    // No rule of another spec lies within the hour.
    const later = Date.now() + 2 * 3_600_000;
    const now = () => later;
    await block({ per_hour: 2 });
    const several = Array.from({ length: 4 }, (_, nth) => `${user}-${nth}`);
    for (const one of several) await acting.exports(one);
    await acting.find();
    // A process each, which all decide at the same moment.
    const ids = await Promise.all(several.map(async (one) => (await acting.finding(one)).id));
    let waiting = 0;
    let go = (): void => undefined;
    const together = new Promise<void>((resolve) => (go = resolve));
    const foresee: typeof acting.orders.foresee = async (...asked) => {
      const hits = await acting.orders.foresee(...asked);
      waiting += 1;
      if (waiting === ids.length) go();
      await together;
      return hits;
    };
    const only = (mine: string) => ({
      one: (...asked: Parameters<typeof acting.options.findings.one>) =>
        asked[1] === mine ? acting.options.findings.one(...asked) : Promise.reject(new Error('decided elsewhere')),
    });
    await Promise.all(
      ids.map((id) =>
        expect(acting.act({ now, findings: only(id), orders: { ...acting.orders, foresee } })).rejects.toThrow(
          'elsewhere',
        ),
      ),
    );
    const decided = await Promise.all(several.map(async (one) => (await acting.finding(one)).action));
    expect(decided.map((one) => one!.outcome).toSorted()).toEqual(['ordered', 'ordered', 'too-many', 'too-many']);
    expect(decided.find((one) => one!.outcome === 'too-many')!.says).toBe(
      'Its detection ordered no rule: 2 rules were ordered within the hour before, and the cap is 2.',
    );
    const next = `${user}-next`;
    await acting.exports(next);
    await acting.find();
    await acting.act({ now: () => now() + 3_600_001 });
    expect((await acting.finding(next)).action).toMatchObject({ outcome: 'ordered' });
  });

  it('never lets a rule on everything through', async () => {
    expect(decideWithoutHits({ state: 'open', stop: { selector: { all: true } } })).toMatchObject({
      outcome: 'refused',
    });
    const by = { tenant: acting.tenant.id, kind: 'bulk-export' } as const;
    await expect(acting.orders.foresee(by, { all: true })).rejects.toMatchObject({ code: 'selector-too-wide' });
    await expect(acting.orders.order(by, { all: true }, 'f')).rejects.toBeInstanceOf(RescindError);
  });
});

describe('the rule of a finding', () => {
  beforeEach(() => acting.set({ action: 'block', ...ROOM }));

  it('is ordered once, however many processes act at once', async () => {
    await acting.exports(user);
    await acting.find();
    await Promise.all(Array.from({ length: 4 }, () => acting.act()));
    const { id } = await acting.finding(user);
    expect(await rulesOf(id)).toHaveLength(1);
    expect(await newsOf(id)).toEqual(['rule-ordered']);
  });

  it.each(['before', 'after'])('is ordered once if the process dies %s it was stored', async (moment) => {
    await acting.exports(user);
    await acting.find();
    const dying = {
      ...acting.orders,
      async order(...order: Parameters<typeof acting.orders.order>) {
        if (moment === 'after') await acting.orders.order(...order);
        throw new Error('the process died');
      },
    };
    await expect(acting.act({ orders: dying })).rejects.toThrow('the process died');
    expect((await acting.finding(user)).action).toMatchObject({ outcome: 'ordering', rule: null });
    await acting.act();
    const { id, action } = await acting.finding(user);
    expect(await rulesOf(id)).toMatchObject([{ id: action!.rule }]);
    expect(action).toMatchObject({ outcome: 'ordered' });
  });

  it('that was not stored is not ordered after the action was switched off', async () => {
    const text = await acting.exports(user);
    await acting.find();
    const order = () => Promise.reject(new Error('the process died'));
    await expect(acting.act({ orders: { ...acting.orders, order } })).rejects.toThrow('the process died');
    await acting.set({ action: 'off' });
    await acting.act();
    const { id, action } = await acting.finding(user);
    expect(action).toMatchObject({ outcome: 'withdrawn', rule: null });
    expect(await rulesOf(id)).toEqual([]);
    expect(await acting.isActive(text)).toBe(true);
  });

  it('that a person lifted stays lifted, whatever the finding grows to, and even if what was decided is lost', async () => {
    const text = await acting.exports(user);
    await acting.find();
    await acting.act();
    const { id, action } = await acting.finding(user);
    await acting.done('POST', `/v1/revocations/${action!.rule}/lift`, { reason: 'it was meant', resume: true });
    expect(await acting.isActive(text)).toBe(true);
    await acting.reads(text, 5_000);
    await acting.find();
    await acting.act();
    await acting.pool.query('DELETE FROM finding_action');
    await acting.reads(text, 5_000);
    await acting.find();
    await acting.act();
    expect((await acting.finding(user)).action).toMatchObject({ outcome: 'ordered', rule: action!.rule });
    expect(await rulesOf(id)).toHaveLength(1);
    expect(await acting.isActive(text)).toBe(true);
  });

  it('that is stored and not yet in force is shown as such, and waited for again', async () => {
    await acting.exports(user);
    await acting.find();
    const order = async (...given: Parameters<typeof acting.orders.order>) => {
      const id = await acting.orders.order(...given);
      throw new RescindError('not-confirmed', { extensions: { id, seq: '1' } });
    };
    await acting.act({ orders: { ...acting.orders, order } });
    const { id, action } = await acting.finding(user);
    expect(action).toMatchObject({
      outcome: 'unconfirmed',
      says: `Its detection ordered rule ${action!.rule}, which is stored and not yet confirmed to be in force.`,
    });
    expect(await rulesOf(id)).toMatchObject([{ id: action!.rule }]);
    await acting.act();
    expect((await acting.finding(user)).action).toMatchObject({ outcome: 'ordered', rule: action!.rule });
    expect(await rulesOf(id)).toHaveLength(1);
    expect(await newsOf(id)).toEqual(['rule-ordered']);
  });
});

describe('a change of an action', () => {
  it('is an entry of the ledger with its author; the same again is none', async () => {
    await acting.set({ action: 'off' });
    const first = await acting.set({ action: 'block', cap: { users: 1 }, on_behalf_of: 'dana@security.example' });
    expect(first).toMatchObject({
      action: 'block',
      cap: { users: 1, tokens: 20, per_hour: 5 },
      set_by: { caller: 'admin', on_behalf_of: 'dana@security.example' },
    });
    const { payload, type } = await acting.done('GET', `/v1/entries/${first.entry}`);
    expect(type).toBe('dev.rescind.detection.changed.v1');
    expect(JSON.parse(Buffer.from(payload.bytes, 'base64').toString()).data).toMatchObject({
      kind: 'bulk-export',
      action: 'block',
      cap: { users: 1, tokens: 20, per_hour: 5 },
      author: { caller: 'admin', on_behalf_of: 'dana@security.example' },
    });
    expect(await acting.set({ action: 'block' })).toEqual(first);
    const [second, third] = await Promise.all([acting.set({ action: 'off' }), acting.set({ action: 'dry-run' })]);
    expect(new Set([second.entry, third.entry]).size).toBe(2);
  });

  it('counts for nothing until the ledger tells it', async () => {
    await acting.set({ action: 'block', ...ROOM });
    const text = await acting.exports(user);
    await acting.find();
    await acting.pool.query('UPDATE detection_change SET entry = NULL');
    await acting.act();
    expect(await acting.finding(user)).toMatchObject({ action: null });
    expect(await acting.isActive(text)).toBe(true);
    await acting.set({ action: 'block', ...ROOM });
    await acting.act();
    expect(await acting.finding(user)).toMatchObject({ action: { outcome: 'ordered' } });
  });

  it('needs the role admin, a known kind that a rule stops, and whole numbers within bounds', async () => {
    const { secret } = await acting.done('POST', '/v1/callers', {
      id: 'analyst',
      roles: { audit: {}, revoke: { tenant: true } },
    });
    const put = (body: unknown, kind = 'bulk-export', key?: string) =>
      acting.call('PUT', `/v1/detections/${kind}`, body, key);
    expect(await put({ action: 'block' }, 'bulk-export', secret)).toMatchObject({ status: 403 });
    expect((await acting.call('GET', '/v1/detections', undefined, secret)).body.items).toHaveLength(16);
    expect(await put({ action: 'off' }, 'ghost')).toMatchObject({ status: 404 });
    for (const body of [
      { action: 'order' },
      { cap: { users: 0 } },
      { cap: { users: 1_001 } },
      { cap: { tokens: 1.5 } },
      { cap: { per_hour: '5' } },
      { cap: { all: true } },
      { effect: 'block' },
      [],
    ])
      expect({ body, status: (await put(body)).status }).toEqual({ body, status: 400 });
    expect(await put({ action: 'dry-run' }, 'administration')).toMatchObject({
      status: 400,
      body: { detail: 'no rule stops what administration finds, so its action stays off' },
    });
  });
});
