import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { selectorKey, tokenKeys, type Rule, type Selector, type TokenKeys } from '../../rules/index.js';
import {
  createControlState,
  DEFAULT_TOKEN_PROFILE,
  type CallerRecord,
  type ControlRecord,
  type ControlState,
  type NewControlRecord,
  type RuleRecord,
  type Seq,
  type SourceRecord,
  type StoredSource,
} from '../index.js';

const TENANT = '00000000-0000-4000-8000-000000000001';
const KEY = Buffer.alloc(32, 3);
const IDP = 'https://idp.example';
const SKEW = 5;
const ALICE: Selector = { user: { iss: IDP, sub: 'alice' }, issuer: IDP };
const BOB: Selector = { user: { iss: IDP, sub: 'bob' }, issuer: IDP };
/** Epoch seconds. Records are committed at this time; events happen around it. */
const NOW = 1_800_000_000;

const encoded = (selector: Selector): { shape: number; key: string } => {
  const { shape, key } = selectorKey(KEY, selector);
  return { shape, key: Buffer.from(key, 'latin1').toString('base64url') };
};

/** Creates a state that holds one tenant, and a function that commits a record to it. */
function given(): { sut: ControlState; commit(record: NewControlRecord, over?: Partial<ControlRecord>): void } {
  const sut = createControlState();
  const commit = (record: NewControlRecord, over: Partial<ControlRecord> = {}): void =>
    sut.apply({ ...record, seq: (sut.head + 1n) as Seq, version: 1, at: NOW * 1_000, ...over } as ControlRecord);
  commit({
    kind: 'tenant.changed',
    tenant: TENANT,
    subject: TENANT,
    body: { id: TENANT, name: 'acme', key: KEY.toString('base64url') },
  });
  return { sut, commit };
}

const ordered = (id: string, selector: Selector, over: Partial<RuleRecord> = {}): NewControlRecord => ({
  kind: 'rule.ordered',
  tenant: TENANT,
  subject: id,
  body: {
    id,
    effect: 'block',
    selector,
    ...encoded(selector),
    reauthenticate: false,
    reason: 'spec',
    author: { caller: 'spec' },
    ...over,
  },
});
const disabled = (id: string, source: string, atMs: number, selector = ALICE): NewControlRecord =>
  ordered(id, selector, { origin: { source, event: id, at: atMs } });
const enabled = (id: string, source: string, atMs: number, selector = ALICE): NewControlRecord => ({
  kind: 'subject.enabled',
  tenant: TENANT,
  subject: id,
  body: { ...encoded(selector), origin: { source, event: id, at: atMs } },
});
const lifted = (rule: string): NewControlRecord => ({
  kind: 'rule.lifted',
  tenant: TENANT,
  subject: rule,
  body: { rule, resume: true, reason: 'spec', author: { caller: 'spec' } },
});

const aliceGrantedAt = (iat: number, seenSeq: bigint = 1n << 40n): TokenKeys =>
  tokenKeys(KEY, { tokens: [], idJags: [{ iss: IDP, jti: 'gr-1', sub: 'alice', iat }], seenSeq, skew: SKEW })!;
const stopping = (sut: ControlState, grantedAt: number): Rule | undefined =>
  sut.tenant(TENANT)!.rules.findStopping(aliceGrantedAt(grantedAt), NOW);
const isStopped = (sut: ControlState, grantedAt: number): boolean => stopping(sut, grantedAt) !== undefined;
const LATER = NOW + 1_000_000;

describe('disabling and enabling by events (design, section 3)', () => {
  const event = fc.record({
    kind: fc.constantFrom('disabled' as const, 'enabled' as const),
    source: fc.constantFrom('idp', 'hr'),
    at: fc.integer({ min: 0, max: 40 }),
  });

  it('whether a user stays blocked depends on the times of the events alone, in whatever order they arrive', () => {
    fc.assert(
      fc.property(
        fc
          .array(event, { minLength: 1, maxLength: 8 })
          .chain((events) => fc.shuffledSubarray(events, { minLength: events.length })),
        (events) => {
          const { sut, commit } = given();
          events.forEach(({ kind, source, at }, n) =>
            commit((kind === 'disabled' ? disabled : enabled)(`${n}`, source, (NOW + at) * 1_000)),
          );

          const times = (kind: string, source: string): number[] =>
            events.filter((one) => one.kind === kind && one.source === source).map(({ at }) => at);
          const newest = (kind: string, source: string): number => Math.max(-Infinity, ...times(kind, source));
          const sources = ['idp', 'hr'].filter((source) => times('disabled', source).length > 0);
          const isBlocked = sources.some((source) => newest('disabled', source) >= newest('enabled', source));
          expect(isStopped(sut, LATER)).toBe(isBlocked);
          // Whether or not the block is lifted, everything granted by the time of a disabling stays stopped ...
          for (const source of sources) expect(isStopped(sut, NOW + newest('disabled', source) + SKEW)).toBe(true);
          // ... and everything granted after every enabling is free if the block is lifted.
          const newestEnabling = Math.max(...sources.map((source) => newest('enabled', source)));
          if (!isBlocked) expect(isStopped(sut, NOW + newestEnabling + SKEW + 1)).toBe(false);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('an enabling turns the block into a revoke as of the enabling', () => {
    const { sut, commit } = given();
    commit(disabled('d', 'idp', NOW * 1_000));
    commit(enabled('e', 'idp', (NOW + 60) * 1_000));
    expect(sut.tenant(TENANT)!.rules.get('d')).toStrictEqual({
      id: 'd',
      selector: selectorKey(KEY, ALICE),
      byIdentity: false,
      effect: 'revoke',
      before: NOW + 60,
      asOfOrder: false,
      reauthenticate: false,
      seq: 2n,
    });
    expect([isStopped(sut, NOW + 60 + SKEW), isStopped(sut, NOW + 61 + SKEW)]).toEqual([true, false]);
  });

  it('a disabling that comes after a newer enabling is a revoke at its own time', () => {
    const { sut, commit } = given();
    commit(enabled('e', 'idp', (NOW + 60) * 1_000));
    commit(disabled('d', 'idp', NOW * 1_000 + 999));
    expect(sut.tenant(TENANT)!.rules.get('d')).toMatchObject({ effect: 'revoke', before: NOW, asOfOrder: false });
    expect([isStopped(sut, NOW + SKEW), isStopped(sut, NOW + 1 + SKEW)]).toEqual([true, false]);
  });

  it.each([
    ['the disabling first', ['d', 'e']],
    ['the enabling first', ['e', 'd']],
  ])('a tie stays blocked, %s; a millisecond decides', (_name, order) => {
    for (const [apart, blocked] of [
      [0, true],
      [1, false],
    ] as const) {
      const { sut, commit } = given();
      for (const kind of order)
        commit(kind === 'd' ? disabled('d', 'idp', NOW * 1_000) : enabled('e', 'idp', NOW * 1_000 + apart));
      expect(isStopped(sut, LATER)).toBe(blocked);
    }
  });

  it.each<[string, NewControlRecord]>([
    ['another source', enabled('e', 'hr', LATER * 1_000)],
    ['the same source, about another user', enabled('e', 'idp', LATER * 1_000, BOB)],
    ['the same source, about less', enabled('e', 'idp', LATER * 1_000, { user: ALICE.user! })],
  ])('an enabling by %s lifts nothing', (_name, enabling) => {
    const { sut, commit } = given();
    commit(disabled('d', 'idp', NOW * 1_000));
    commit(enabling);
    expect(isStopped(sut, LATER)).toBe(true);
  });

  it('an enabling lifts no block that a person ordered, and no revoke', () => {
    const { sut, commit } = given();
    commit(ordered('person', ALICE));
    commit(ordered('revoke', ALICE, { effect: 'revoke', origin: { source: 'idp', event: 'x', at: NOW * 1_000 } }));
    commit(enabled('e', 'idp', LATER * 1_000));
    expect(sut.tenant(TENANT)!.rules.get('person')?.effect).toBe('block');
    expect(sut.tenant(TENANT)!.rules.get('revoke')).toMatchObject({ before: NOW, asOfOrder: true });
  });

  it('a block of an event that a person lifted stays lifted, and the next disabling blocks again', () => {
    const { sut, commit } = given();
    commit(disabled('d', 'idp', NOW * 1_000));
    commit(lifted('d'));
    expect(isStopped(sut, LATER)).toBe(false);
    commit(enabled('e', 'idp', (NOW + 1) * 1_000));
    expect(sut.tenant(TENANT)!.rules.get('d')).toBeUndefined();
    commit(disabled('d2', 'idp', (NOW + 2) * 1_000));
    expect(isStopped(sut, LATER)).toBe(true);
  });
});

describe('sessions of a user that end all together', () => {
  const allEnded = (id: string, at: number): NewControlRecord =>
    ordered(id, ALICE, { effect: 'revoke', before: at, origin: { source: 'idp', event: id, at: at * 1_000 } });

  it.each([
    ['in the order of their times', [NOW - 100, NOW - 50]],
    ['the later one first', [NOW - 50, NOW - 100]],
  ])('stop what was granted until the last of them, %s', (_name, times) => {
    const { sut, commit } = given();
    times.forEach((at, n) => commit(allEnded(`s${n}`, at)));
    expect([isStopped(sut, NOW - 50 + SKEW), isStopped(sut, NOW - 49 + SKEW)]).toEqual([true, false]);
    // A late event does not stop tokens only because Rescind recorded them before the event arrived.
    expect(sut.tenant(TENANT)!.rules.findStopping(aliceGrantedAt(NOW - 49 + SKEW, 1n), NOW)).toBeUndefined();
  });

  it.each([
    ['the end first', ['s', 'd', 'e']],
    ['the end last', ['d', 'e', 's']],
  ])('stay ended when the user is disabled and enabled, %s', (_name, order) => {
    const { sut, commit } = given();
    for (const one of order) {
      if (one === 's') commit(allEnded('s', NOW));
      else commit((one === 'd' ? disabled : enabled)(one, 'idp', (NOW - (one === 'd' ? 60 : 30)) * 1_000));
    }
    expect([isStopped(sut, NOW + SKEW), isStopped(sut, NOW + 1 + SKEW)]).toEqual([true, false]);
  });
});

describe('rules of the control log', () => {
  it('a revoke without a moment is as of its record, and what was seen below its seq falls', () => {
    const { sut, commit } = given();
    commit(ordered('r', ALICE, { effect: 'revoke' }), { at: NOW * 1_000 + 999 });
    const { rules } = sut.tenant(TENANT)!;
    expect(rules.get('r')).toMatchObject({ before: NOW, asOfOrder: true, seq: 2n });
    expect(rules.findStopping(aliceGrantedAt(LATER, 1n), NOW)?.id).toBe('r');
    expect(rules.findStopping(aliceGrantedAt(LATER, 2n), NOW)).toBeUndefined();
  });

  it('a revoke with a moment compares times alone', () => {
    const { sut, commit } = given();
    commit(ordered('r', ALICE, { effect: 'revoke', before: NOW - 60, reauthenticate: true }));
    expect(sut.tenant(TENANT)!.rules.get('r')).toMatchObject({
      before: NOW - 60,
      asOfOrder: false,
      reauthenticate: true,
    });
  });

  it('a block keeps its end, and is never as of its order', () => {
    const { sut, commit } = given();
    commit(ordered('b', ALICE, { until: NOW + 60 }));
    expect(sut.tenant(TENANT)!.rules.get('b')).toMatchObject({ effect: 'block', until: NOW + 60, asOfOrder: false });
  });

  it('a lift ends a block and nothing else', () => {
    const { sut, commit } = given();
    commit(ordered('b', ALICE));
    commit(ordered('r', ALICE, { effect: 'revoke', before: NOW }));
    for (const id of ['b', 'r', 'unknown']) commit(lifted(id));
    expect([isStopped(sut, LATER), stopping(sut, NOW)?.id, sut.head]).toEqual([false, 'r', 6n]);
  });
});

describe('folding', () => {
  it.each<[string, Partial<ControlRecord>]>([
    ['version', { version: 5 }],
    ['kind', { kind: 'rule.compacted' } as unknown as Partial<ControlRecord>],
  ])('throws at an unknown %s, and holds what came before it', (_name, over) => {
    const { sut, commit } = given();
    expect(() => commit(ordered('b', ALICE), over)).toThrow(
      /control record 2 has version \d of [a-z.]+, which this release cannot read/,
    );
    expect([sut.head, isStopped(sut, LATER)]).toEqual([1n, false]);
  });

  it('an unknown version throws although its seq was applied: the log is not what it was', () => {
    const { commit } = given();
    expect(() => commit(ordered('b', ALICE), { version: 5, seq: 1n as Seq })).toThrow(/cannot read/);
  });

  it('applies a record once', () => {
    const { sut, commit } = given();
    commit(ordered('b', ALICE));
    commit(lifted('b'));
    commit(ordered('b', ALICE), { seq: 2n as Seq });
    expect([sut.head, isStopped(sut, LATER)]).toEqual([3n, false]);
  });

  const source = (over: Partial<SourceRecord> = {}): NewControlRecord => {
    const body: SourceRecord = {
      id: 's1',
      name: 'idp',
      uri: `${IDP}/events`,
      topic: 'rescind.events.idp',
      types: ['user.disabled'],
      issuers: [IDP],
      resources: [],
      profile: DEFAULT_TOKEN_PROFILE,
      disabled: false,
      ...over,
    };
    return { kind: 'source.changed', tenant: TENANT, subject: body.id, body };
  };
  const caller = (over: Partial<CallerRecord> = {}): NewControlRecord => {
    const body: CallerRecord = { id: 'crm', roles: { audit: {} }, secrets: [], disabled: false, ...over };
    return { kind: 'caller.changed', tenant: TENANT, subject: body.id, body };
  };

  it('registryVersion is raised by tenants, sources and callers, and by no rule', () => {
    const { sut, commit } = given();
    const versionAfter = (record: NewControlRecord): number => {
      commit(record);
      return sut.registryVersion;
    };
    const first = sut.registryVersion;
    expect(first).toBe(1);
    expect(
      [source(), caller(), ordered('b', ALICE), lifted('b'), enabled('e', 's1', 1), source({ disabled: true })].map(
        versionAfter,
      ),
    ).toEqual([2, 3, 3, 3, 3, 4]);
  });

  it('a connection’s event lifts that connection’s block, not the one of another with the same selectors', () => {
    const { sut, commit } = given();
    const origin = (event: string, at: number, subject: string) => ({ source: 'idp', event, at, subject });
    commit(ordered('of-a', ALICE, { origin: origin('e1', 10_000, 'a') }));
    commit({
      ...enabled('e2', 'idp', 20_000),
      body: { ...encoded(ALICE), origin: origin('e2', 20_000, 'b') },
    } as NewControlRecord);
    expect(sut.tenant(TENANT)!.rules.get('of-a')?.effect).toBe('block');
    commit({
      ...enabled('e3', 'idp', 20_000),
      body: { ...encoded(ALICE), origin: origin('e3', 20_000, 'a') },
    } as NewControlRecord);
    expect(sut.tenant(TENANT)!.rules.get('of-a')?.effect).toBe('revoke');
  });

  it('a tenant that is renamed keeps its rules', () => {
    const { sut, commit } = given();
    commit(ordered('b', ALICE));
    commit({
      kind: 'tenant.changed',
      tenant: TENANT,
      subject: TENANT,
      body: { id: TENANT, name: 'acme-2', key: KEY.toString('base64url') },
    });
    expect([sut.tenantByName('acme'), sut.tenantByName('acme-2')?.id, isStopped(sut, LATER)]).toEqual([
      undefined,
      TENANT,
      true,
    ]);
  });

  it('a source is found by what it is called now; a disabled one writes no topic', () => {
    const { sut, commit } = given();
    commit(source());
    commit(source({ id: 's2', name: 'hr', uri: 'urn:hr' }));
    commit(source({ name: 'idp-2', uri: 'urn:idp' }));
    expect([sut.sourceByName('idp'), sut.sourceByUri(`${IDP}/events`)]).toEqual([undefined, undefined]);
    expect([sut.sourceByName('idp-2')?.id, sut.sourceByUri('urn:idp')?.tenant]).toEqual(['s1', TENANT]);
    expect(sut.sourcesOfTopic('rescind.events.idp').map(({ id }) => id)).toEqual(['s1', 's2']);
    commit(source({ id: 's2', name: 'hr', uri: 'urn:hr', disabled: true }));
    expect(sut.sourcesOfTopic('rescind.events.idp').map(({ id }) => id)).toEqual(['s1']);
  });

  it('a source that an older release registered has the whole profile', () => {
    const { sut, commit } = given();
    const { body } = source() as { body: StoredSource };
    commit(
      {
        kind: 'source.changed',
        tenant: TENANT,
        subject: 's1',
        body: {
          ...body,
          profile: { lineage: 'none', max_token_lifetime: 600, skew: 9, typ: 'JWT', algorithms: ['RS256'] },
        },
      },
      { version: 1 },
    );
    const profile = {
      ...DEFAULT_TOKEN_PROFILE,
      lineage: { id_jag: 'none', other: 'none' },
      max_token_lifetime: 600,
      skew: 9,
      typ: ['JWT'],
      algorithms: ['RS256'],
    };
    expect(
      [sut.source('s1'), sut.sourceByName('idp'), sut.sourceByUri(`${IDP}/events`)].map((one) => one?.profile),
    ).toEqual([profile, profile, profile]);
  });

  it('a caller is found by its secrets of now', () => {
    const { sut, commit } = given();
    const secret = (sha256: string) => ({ id: sha256, sha256, created_at: NOW });
    commit(caller({ secrets: [secret('one')] }));
    commit(caller({ secrets: [secret('one'), secret('two')] }));
    expect([sut.callerBySecret('one')?.id, sut.callerBySecret('two')?.id]).toEqual(['crm', 'crm']);
    commit(caller({ secrets: [secret('two')] }));
    expect([sut.callerBySecret('one'), sut.callerBySecret('two')?.id]).toEqual([undefined, 'crm']);
  });
});
