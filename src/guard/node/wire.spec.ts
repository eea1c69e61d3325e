import { describe, expect, it } from '@jest/globals';
import { createEventParser, type ServerSentEvent } from './server-sent-events.js';
import { readErrorCode, readFeedEvent, readGrant, readTokenAnswer } from './wire.js';

const MAX_EVENT_LENGTH = 1_048_576;
const KEY = Buffer.alloc(16, 9).toString('base64url');
const key = Buffer.alloc(16, 9).toString('latin1');

function parsed(...pieces: readonly string[]): ServerSentEvent[] {
  const events: ServerSentEvent[] = [];
  const parse = createEventParser((event) => events.push(event));
  for (const piece of pieces) parse(piece);
  return events;
}

describe('the stream, in pieces', () => {
  const text = 'id: 12\nevent: rule\ndata: {"shape":1}\n\n:\n\nevent: seq\nid:13\ndata: {}\n\n';
  const events = [
    { event: 'rule', id: '12', data: '{"shape":1}' },
    { event: 'seq', id: '13', data: '{}' },
  ];

  it('is the same wherever it is cut', () => {
    expect(parsed(text)).toEqual(events);
    expect(parsed(...text)).toEqual(events);
    for (let at = 0; at <= text.length; at++) expect(parsed(text.slice(0, at), text.slice(at))).toEqual(events);
  });

  it('takes both line ends, and data of several lines', () => {
    expect(parsed('id: 1\r\ndata: a\r\ndata: b\r\n\r\n')).toEqual([{ event: 'message', id: '1', data: 'a\nb' }]);
  });

  it('takes a field without a colon as one without a value (HTML, 9.2.6)', () => {
    expect(parsed('id\ndata\n\n')).toEqual([{ event: 'message', id: '', data: '' }]);
    expect(parsed('data:  a\nevent:x\n\n')).toEqual([{ event: 'x', id: undefined, data: ' a' }]);
  });

  it('passes over fields that it does not know', () => {
    expect(parsed('retry: 5\nid: 1\ndata: a\n\n', 'retry: 5\n\n')).toEqual([{ event: 'message', id: '1', data: 'a' }]);
  });

  it('hands over nothing that is not complete: a rule cut off is not a rule', () => {
    expect(parsed('id: 12\nevent: rule\ndata: {"shape":1}\n')).toEqual([]);
  });

  it('an event without end is refused', () => {
    const long = 'x'.repeat(MAX_EVENT_LENGTH);
    expect(() => parsed('data: ', long, 'x')).toThrow(RangeError);
    expect(parsed(`data:${long.slice(5)}\n\n`)).toHaveLength(1);
    expect(() => parsed(`data:${long.slice(4)}\n\n`)).toThrow(RangeError);
    expect(() => parsed('data: ', long.slice(9), '\n', 'data: ', long.slice(9), '\n')).toThrow(RangeError);
  });
});

describe('an event of the feed', () => {
  const read = (event: string, data: unknown, id: string | undefined = '7') =>
    readFeedEvent({ event, id, data: typeof data === 'string' ? data : JSON.stringify(data) });

  it.each<[string, unknown, unknown]>([
    ['start', { seq: '7', interest: [KEY] }, { kind: 'start', seq: 7n, interest: new Set([key]) }],
    ['start', { seq: '7', interest: '*' }, { kind: 'start', seq: 7n, interest: '*' }],
    ['reset', { seq: '7' }, { kind: 'reset', seq: 7n, interest: undefined }],
    ['rule', { shape: 8, key: KEY }, { kind: 'rule', seq: 7n, selector: { shape: 8, key } }],
    ['forget', {}, { kind: 'forget', seq: 7n, all: false }],
    ['forget', { all: true }, { kind: 'forget', seq: 7n, all: true }],
    ['seq', {}, { kind: 'seq', seq: 7n }],
  ])('%s %j', (event, data, expected) => {
    expect(read(event, data)).toEqual(expected);
  });

  it.each<[string, string, unknown]>([
    ['a kind that is not known', 'later', {}],
    ['a rule without a key', 'rule', { shape: 8 }],
    ['a rule that is no JSON', 'rule', '{'],
    ['a rule whose key is no base64url', 'rule', { shape: 8, key: 'a b' }],
    ['a forget that is no JSON', 'forget', '{'],
  ])('%s makes what was judged before it be judged again', (_, event, data) => {
    expect(read(event, data)).toEqual({ kind: 'forget', seq: 7n, all: false });
  });

  it.each<[string, string, unknown, string | undefined]>([
    ['a start without interest', 'start', { seq: '7' }, '7'],
    ['a start with a key that is too short', 'start', { seq: '7', interest: ['AAAA'] }, '7'],
    ['an event without a position', 'seq', {}, undefined],
    ['a position that is no number', 'rule', { shape: 8, key: KEY }, '7a'],
    ['a negative position', 'seq', {}, '-7'],
  ])('%s cannot be followed', (_, event, data, id) => {
    expect(readFeedEvent({ event, id, data: JSON.stringify(data) })).toBeUndefined();
  });
});

describe('an answer about a token', () => {
  const sets = Array.from({ length: 9 }, () => [KEY]);
  const body = (over: object = {}, rescind: object = {}) => ({
    active: true,
    sub: 'u',
    aud: ['a'],
    rescind: { seq: '7', keep_ms: 1_000, shape_sets: sets, outside: false, ...rescind },
    ...over,
  });

  it('is read, frozen to its depth, and shows nothing of what is for the guard', () => {
    const answer = readTokenAnswer(body());
    expect(answer).toEqual({
      answer: { state: 'active', claims: { sub: 'u', aud: ['a'] } },
      keep: { seq: 7n, keepMs: 1_000, sets: Array.from({ length: 9 }, () => [key]) },
    });
    const { answer: active } = answer as unknown as { answer: { claims: { aud: string[] } } };
    expect(() => active.claims.aud.push('b')).toThrow(TypeError);
  });

  it.each<[string, unknown]>([
    ['a text', 'true'],
    ['a number', 1],
    ['nothing', undefined],
    ['null', null],
  ])('active as %s is no answer', (_, active) => {
    expect(readTokenAnswer(body({ active }))).toBeUndefined();
  });

  it.each([
    [{ active: false }, { state: 'inactive' }],
    [
      { active: false, rescind: { recorded: true } },
      { state: 'inactive', recorded: true },
    ],
    [{ active: false, rescind: { recorded: 'yes' } }, { state: 'inactive' }],
  ])('%j says whether the token is on record', (value, answer) => {
    expect(readTokenAnswer(value)).toEqual(answer);
  });

  it.each([[undefined], [null], [[]], ['{"active":true}']])('%j is no answer', (value) => {
    expect(readTokenAnswer(value)).toBeUndefined();
  });

  it.each<[string, object]>([
    ['no position', { seq: 7 }],
    ['no time', { keep_ms: undefined }],
    ['no time left', { keep_ms: 0 }],
    ['a time that is no number', { keep_ms: Number.NaN }],
    ['sets of another number of dimensions', { shape_sets: [...sets, []] }],
    ['a set that is too large', { shape_sets: [Array.from({ length: 9 }, () => KEY), ...sets.slice(1)] }],
    ['a key that is too long', { shape_sets: [[`${KEY}AA`], ...sets.slice(1)] }],
    ['no sets', { shape_sets: undefined }],
  ])('with %s stands for its call alone', (_, rescind) => {
    expect(readTokenAnswer(body({}, rescind))).toMatchObject({ answer: { state: 'active' }, keep: undefined });
  });

  it.each([
    [{ error: 'behind' }, 'behind'],
    [{ error: 7 }, undefined],
    [{}, undefined],
    [['error'], undefined],
    [null, undefined],
    [undefined, undefined],
    ['behind', undefined],
  ])('the code of %j is %s', (value, expected) => {
    expect(readErrorCode(value)).toBe(expected);
  });

  it.each([
    [{ grant_ms: 5 }, 5],
    [{ grant_ms: Infinity }, undefined],
    [{ grant_ms: 0 }, 0],
    [{ grant_ms: -1 }, undefined],
    [{ grant_ms: '5' }, undefined],
    [{}, undefined],
    [undefined, undefined],
  ])('a grant of %j is %s', (value, expected) => {
    expect(readGrant(value)).toBe(expected);
  });
});
