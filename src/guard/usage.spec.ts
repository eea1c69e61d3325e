import { createHash } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { buildEvent, type SourceEventName } from '../emit/index.js';
import { createUsage, operationOf, type UsageOptions, type UsageReport } from './usage.js';

interface Told {
  readonly name: string;
  readonly data: Record<string, unknown>;
}

/** Builds each event as the producer does, so that a wrong event is refused in the same way. */
function recording(over: Partial<UsageOptions> = {}) {
  const told: Told[] = [];
  let now = 1_900_000_000_000;
  const sut = createUsage({
    producer: {
      emit(name: SourceEventName, data: never) {
        told.push({ name, data: buildEvent(name, { source: 's', data }).data as unknown as Record<string, unknown> });
        return 'id';
      },
    },
    now: () => now,
    ...over,
  });
  return { sut, told, pass: (ms: number) => void (now += ms) };
}
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
const report = (over: Partial<UsageReport> = {}): UsageReport => ({
  token: 'opaque-1',
  claims: {},
  outcome: 'allowed',
  operation: 'read',
  route: 'GET /x',
  status: 200,
  ...over,
});
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('usage', () => {
  it('is told once a window for each token, route, operation, outcome and status', () => {
    const { sut, told, pass } = recording({ resource: ['https://api.example'] });
    sut.report(report({ records: 2, bytes: 10, clientAddress: '192.0.2.7' }));
    pass(5_000);
    sut.report(report({ records: 3 }));
    sut.report(report({ status: 404 }));
    expect(told).toEqual([]);
    sut.flush();
    const shared = {
      token: { sha256: digest('opaque-1') },
      operation: 'read',
      route: 'GET /x',
      resource: ['https://api.example'],
      outcome: 'allowed',
    };
    expect(told).toEqual([
      {
        name: 'access.summary',
        data: { ...shared, status: 200, count: 2, records: 5, bytes: 10, from: 1_900_000_000, to: 1_900_000_005 },
      },
      {
        name: 'access.summary',
        data: { ...shared, status: 404, count: 1, records: 0, bytes: 0, from: 1_900_000_005, to: 1_900_000_005 },
      },
    ]);
    expect(sut.stats).toEqual({ reported: 3, lost: 0 });
    sut.stop();
    expect(told).toHaveLength(2);
  });

  it('is told call by call where that is wanted', () => {
    const { sut, told } = recording({ report: 'each' });
    sut.report(report({ scope: 'read', clientAddress: '192.0.2.7' }));
    sut.report(report({ outcome: 'denied', status: 401, error: 'invalid_token', claims: undefined }));
    expect(told.map(({ name, data }) => [name, data['status'], data['error']])).toEqual([
      ['access.allowed', 200, undefined],
      ['access.denied', 401, 'invalid_token'],
    ]);
    expect(told[0]!.data).toMatchObject({ scope: 'read', client_address: '192.0.2.7' });
  });

  it.each(['allowed', 'denied'] as const)(
    'call by call has of a call that was %s what the report says of it, and nothing more',
    (outcome) => {
      const { sut, told } = recording({ report: 'each', resource: ['https://api.example'] });
      sut.report({ token: 'opaque-1', claims: {}, outcome, operation: 'read' });
      const least = { token: { sha256: digest('opaque-1') }, operation: 'read', resource: ['https://api.example'] };
      expect(told[0]!.data).toStrictEqual(least);
      sut.report({
        token: 'opaque-1',
        claims: {},
        outcome,
        operation: 'read',
        route: 'GET /x',
        status: 200,
        records: 0,
        bytes: 0,
      });
      expect(told[1]!.data).toStrictEqual({ ...least, route: 'GET /x', status: 200, records: 0, bytes: 0 });
      expect(sut.stats).toEqual({ reported: 2, lost: 0 });
    },
  );

  it.each<[string, Partial<UsageReport>, object]>([
    ['an active JWT by its claims', { token: 'a.b.c', claims: { iss: 'i', jti: 'j' } }, { iss: 'i', jti: 'j' }],
    [
      'an active JWT without jti by its signing input',
      { token: 'a.b.c', claims: { iss: 'i' } },
      { signing_input_sha256: digest('a.b') },
    ],
    [
      'a JWT that was not active by its signing input, whatever it claims',
      { token: 'a.b.c', claims: undefined },
      { signing_input_sha256: digest('a.b') },
    ],
    ['an opaque token by its digest', { token: 'ab', claims: { iss: 'i', jti: 'j' } }, { sha256: digest('ab') }],
  ])('names %s', (_, over, token) => {
    const { sut, told } = recording({ report: 'each' });
    sut.report(report(over));
    expect(told[0]!.data['token']).toEqual(token);
  });

  it('is bounded: what has no room is counted, and made-up tokens take half of it at most', () => {
    const { sut, told } = recording({ maxRows: 4 });
    for (let nth = 0; nth < 10; nth++)
      sut.report(report({ token: `made-up-${nth}`, claims: undefined, outcome: 'denied' }));
    for (let nth = 0; nth < 3; nth++) sut.report(report({ token: `good-${nth}` }));
    sut.stop();
    expect(told.map(({ data }) => data['outcome'])).toEqual(['denied', 'denied', 'allowed', 'allowed']);
    expect(sut.stats).toEqual({ reported: 4, lost: 9 });
    sut.report(report());
    expect(sut.stats.lost).toBe(10);
  });

  it('hands over a large window in turns', async () => {
    const { sut, told } = recording();
    for (let nth = 0; nth < 250; nth++) sut.report(report({ token: `good-${nth}` }));
    sut.flush();
    expect(told).toHaveLength(100);
    await turn();
    expect(told).toHaveLength(200);
    await turn();
    expect(told).toHaveLength(250);
  });

  it('of a window that was told by hand does not end the next one early', () => {
    jest.useFakeTimers({ now: 0 });
    try {
      const { sut, told } = recording({ windowMs: 1_000 });
      sut.report(report());
      jest.advanceTimersByTime(600);
      sut.flush();
      sut.report(report());
      jest.advanceTimersByTime(999);
      expect(told).toHaveLength(1);
      jest.advanceTimersByTime(1);
      expect(told).toHaveLength(2);
    } finally {
      jest.useRealTimers();
    }
  });

  it.each([
    ['GET', 'read'],
    ['HEAD', 'read'],
    ['OPTIONS', 'read'],
    ['DELETE', 'delete'],
    ['POST', 'write'],
    ['PUT', 'write'],
    [undefined, 'write'],
  ])('names a %s a %s', (method, operation) => {
    expect(operationOf(method)).toBe(operation);
  });

  it('is handed over when its window ends, a minute by default, and of the next window anew', () => {
    jest.useFakeTimers({ now: 0 });
    try {
      const { sut, told } = recording();
      sut.report(report());
      jest.advanceTimersByTime(59_999);
      expect(told).toEqual([]);
      jest.advanceTimersByTime(1);
      expect(told).toHaveLength(1);
      sut.report(report());
      sut.report(report({ records: 3 }));
      jest.advanceTimersByTime(60_000);
      expect(told.map(({ data }) => [data['count'], data['records']])).toEqual([
        [1, 0],
        [2, 3],
      ]);
      sut.stop();
      expect([told.length, jest.getTimerCount()]).toEqual([2, 0]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('of made-up tokens has half of each window, and counts a window that stops to its last row', () => {
    const { sut, told } = recording({ maxRows: 3 });
    const madeUp = (nth: number): void =>
      sut.report(report({ token: `made-up-${nth}`, claims: undefined, outcome: 'denied' }));
    for (let nth = 0; nth < 3; nth++) madeUp(nth);
    expect(sut.stats.lost).toBe(1);
    sut.flush();
    for (let nth = 0; nth < 3; nth++) madeUp(nth);
    expect([sut.stats.lost, told.length]).toEqual([2, 2]);
    sut.stop();
    const many = recording();
    for (let nth = 0; nth < 201; nth++) many.sut.report(report({ token: `good-${nth}` }));
    many.sut.stop();
    expect(many.told).toHaveLength(201);
  });

  it.each([{ maxRows: 0 }, { windowMs: 0.5 }])('is not made with %j', (over) => {
    expect(() => recording(over)).toThrow(TypeError);
  });

  it('never throws: a producer that is full or closed costs the report, not the call', () => {
    const { sut } = recording({
      report: 'each',
      producer: {
        emit: () => {
          throw new Error('closed');
        },
      },
    });
    sut.report(report());
    expect(sut.stats).toEqual({ reported: 0, lost: 1 });
  });
});
