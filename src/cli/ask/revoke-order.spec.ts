import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { RequestFailed, type Answer, type Client } from '../client.js';
import {
  confirmOnTerminal,
  explainRefusal,
  liftedText,
  orderedText,
  readOrder,
  type OrderBody,
} from './revoke-order.js';
import type { Terminal } from '../terminal.js';

const IDP = 'https://idp.acme.example';
const USER = { user: { iss: IDP, sub: 'alice' } };
const HITS = { users: 1, tokens: 4, used_in_last_hour: 2, grants: 3, connections: 2, unknown: [] };
const URL = 'http://127.0.0.1:7423';

const refused = (code: string, status: number, more: object = {}): RequestFailed =>
  new RequestFailed(code, code, URL, { code, status, ...more });

/** Runs the confirmation. A person types `typed`, or nothing, and the service answers the preview with `preview`. */
async function asked(
  body: OrderBody,
  typed: string | undefined,
  preview: Answer | Error,
  isTerminal = true,
): Promise<{ order: OrderBody | undefined; said: string; previewed: unknown[] }> {
  let said = '';
  const previewed: unknown[] = [];
  const err = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said += chunk.toString();
      done();
    },
  });
  const tty = isTerminal ? { isTTY: true } : {};
  const terminal = {
    env: {},
    out: err,
    err: Object.assign(err, tty),
    stdin: Object.assign(Readable.from(typed === undefined ? [] : [`${typed}\n`]), tty),
  } as Terminal;
  const client = {
    async post(_path: string, sent: unknown) {
      previewed.push(sent);
      if (preview instanceof Error) throw preview;
      return preview;
    },
  } as unknown as Client;
  return { order: await confirmOnTerminal(terminal, client, body), said, previewed };
}

describe('an order on a terminal', () => {
  const order = { selector: USER, reason: 'left' };

  it.each([
    ['y', true],
    ['Yes', true],
    ['n', false],
    ['', false],
    ['yep', false],
    [undefined, false],
  ])('that hits few is shown and asked about: %j', async (typed, wanted) => {
    const { order: sent, said, previewed } = await asked(order, typed, HITS);
    expect(sent).toEqual(wanted ? order : undefined);
    expect(said).toMatch(
      /^Block user alice of idp\.acme\.example until somebody lifts it\.\n\n {2}users +1\n[^]*Order it\? \[y\/N\] $/,
    );
    expect(previewed).toEqual([order]);
  });

  it.each([
    ['4551', true],
    ['4,551', true],
    ['455', false],
    ['y', false],
  ])('that hits many wants the number: %j', async (typed, wanted) => {
    const { order: sent, said } = await asked(order, typed, { ...HITS, users: 4_551, confirm: 4_551 });
    expect(sent).toEqual(wanted ? { ...order, confirm: 4_551 } : undefined);
    expect(said).toContain('type the number of users (4551): ');
  });

  it('that hits many is asked about by yes where the number was given', async () => {
    const { order: sent, previewed } = await asked({ ...order, confirm: 4_500 }, 'y', {
      ...HITS,
      users: 4_551,
      confirm: 4_551,
    });
    expect(sent).toEqual({ ...order, confirm: 4_500 });
    expect(previewed).toEqual([order]);
  });

  it.each([
    ['everything', true],
    ['y', false],
  ])('on everything wants the word: %j', async (typed, wanted) => {
    const all = { selector: { all: true }, reason: 'breach' };
    expect((await asked(all, typed, HITS)).order).toEqual(wanted ? { ...all, confirm: true } : undefined);
  });

  it('warns of a name that nobody has told of', async () => {
    expect((await asked(order, 'n', { ...HITS, unknown: ['user'] })).said).toContain(
      'Warning: no event has ever named this user: check the spelling.',
    );
  });

  it.each<[string, Error]>([
    ['too wide', refused('filter-too-wide', 400)],
    ['no time', refused('overloaded', 503)],
    ['no answer', new RequestFailed('unreachable', 'no answer', URL)],
  ])('goes on by yes where nothing could be counted: %s', async (_name, error) => {
    const { order: sent, said } = await asked(order, 'y', error);
    expect(sent).toEqual({ ...order, confirm: 'uncounted' });
    expect(said).toContain('It could not be counted what this hits.');
    expect((await asked(order, 'n', error)).order).toBeUndefined();
  });

  it('that is refused anyway is not asked about', async () => {
    await expect(asked(order, 'y', refused('invalid-selector', 400))).rejects.toMatchObject({
      code: 'invalid-selector',
    });
  });

  it('is neither previewed nor asked about where nobody sits', async () => {
    expect(await asked(order, undefined, HITS, false)).toEqual({ order, said: '', previewed: [] });
  });
});

it.each<[string | true | undefined, unknown]>([
  [undefined, undefined],
  [true, true],
  ['4,551', 4_551],
  ['0', 0],
  ['uncounted', 'uncounted'],
])('--confirm %j', (confirm, read) => {
  expect(
    readOrder({ user: `iss=${IDP},sub=alice`, reason: 'left', ...(confirm === undefined ? {} : { confirm }) })[
      'confirm'
    ],
  ).toBe(read);
});

it.each(['many', '-1', '1.5', ''])('--confirm %j is refused', (confirm) => {
  expect(() => readOrder({ reason: 'left', confirm })).toThrow('--confirm takes the number');
});

it.each([
  [
    {
      confirm: 4_551,
      detail:
        'the rule hits 4,551 users; nothing was ordered. If that is meant, send the same order with "confirm": 4551',
    },
    'the rule hits 4,551 users; nothing was ordered. If that is meant, add --confirm 4551',
  ],
  [
    {
      confirm: 'uncounted',
      detail:
        'it could not be counted; nothing was ordered. To order it all the same, send the same order with "confirm": "uncounted"',
    },
    'it could not be counted; nothing was ordered. If that is meant, add --confirm uncounted',
  ],
  [
    {
      confirm: true,
      detail:
        'the rule selects everything; nothing was ordered. If that is meant, send the same order with "confirm": true',
    },
    'the rule selects everything; nothing was ordered. If that is meant, add --confirm',
  ],
])('a refusal says what to add: %j', (problem, text) => {
  expect((explainRefusal(refused('confirmation-required', 400, problem)) as Error).message).toBe(
    `confirmation-required: ${text} [${URL}]`,
  );
});

it('another failure stays as it is', () => {
  const other = refused('forbidden', 403);
  expect(explainRefusal(other)).toBe(other);
});

describe('what is printed', () => {
  const answer = {
    id: 'r-1',
    ms: 5,
    confirmed: { nodes: 2, guards: 1, expired: 1 },
    regrant_after: null,
    hits: { ...HITS, at_least: true },
    other_rules: { rules: [], more: 0 },
  };

  it.each<[string, OrderBody, object, string[]]>([
    [
      'a block',
      { selector: USER },
      {},
      [
        'for user alice of idp.acme.example.',
        'granted anew  is stopped too',
        'to lift it    rescind revoke lift r-1',
        'hits          at least 1 user',
        '2 nodes, 1 guard; 1 had gone and was waited out',
      ],
    ],
    [
      'a revoke',
      { selector: USER, effect: 'revoke' },
      { regrant_after: '2027-01-15T08:00:00Z' },
      [
        'for what was granted until now: user alice of idp.acme.example.',
        'granted anew  passes if granted after 2027-01-15T08:00:00Z',
      ],
    ],
    [
      'a token',
      { selector: { token: { iss: IDP, jti: 'at-1' } } },
      { hits: null },
      [
        'for token at-1 of idp.acme.example.',
        'effect        revoke, for ever',
        'hits          could not be counted in time',
      ],
    ],
  ])('of %s', (_name, body, more, texts) => {
    const text = orderedText(body, { ...answer, ...more });
    for (const one of texts) expect(text).toContain(one);
    expect(text.includes('to lift it')).toBe(
      body['effect'] === undefined && !('token' in (body['selector'] as object)),
    );
  });

  const block = { id: 'r-2', effect: 'block', stops: 'all', selector: USER, reason: 'x', author: { caller: 'admin' } };
  it.each([
    [
      { revoke: 'r-3', regrant_after: '2027-01-15T08:00:00Z' },
      /^Lifted\. What was granted before stays revoked; what is granted after 2027-01-15T08:00:00Z passes, as far as no other rule stops it\.$/m,
    ],
    [{}, /^Lifted\. What was granted before is good again, as far as no other rule stops it\.$/m],
    [
      {
        revoke: 'r-3',
        regrant_after: '2027-01-15T08:00:00Z',
        other_rules: { rules: [block, { ...block, id: 'r-4' }], more: 0 },
      },
      /^Lifted, but nothing passes yet: 2 other blocks stop the same\. What was granted before stays revoked\.$/m,
    ],
    [{ other_rules: { rules: [block], more: 0 } }, /^Lifted, but nothing passes yet: 1 other block stops the same\.$/m],
    [{ other_rules: { rules: [{ ...block, stops: 'part' }], more: 0 } }, /^Lifted\. /m],
  ])('of a lift: %j', (more, text) => {
    expect(liftedText({ ...answer, ...more })).toMatch(text);
  });
});
