import { describe, expect, it } from '@jest/globals';
import {
  CONTROL_RECORD_VERSION,
  type ControlKind,
  type ControlRecord,
  type NewControlRecord,
  type Seq,
} from '../control/index.js';
import { selectorKey, type Selector } from '../rules/index.js';
import { effectOf } from './effects.js';
import { createRecentRecords } from './recent.js';

const TENANT = 'tenant-1';
const KEY = Buffer.alloc(32, 7);
const author = { caller: 'spec' };

const committed = (seq: number | bigint, record: NewControlRecord): ControlRecord =>
  ({ ...record, seq: BigInt(seq) as Seq, version: CONTROL_RECORD_VERSION, at: 0 }) as ControlRecord;

function ordered(selector: Selector): NewControlRecord {
  const { shape, key } = selectorKey(KEY, selector);
  const body = {
    id: 'r',
    effect: 'block' as const,
    selector,
    shape,
    key: Buffer.from(key, 'latin1').toString('base64url'),
    reauthenticate: false,
    reason: 'spec',
    author,
  };
  return { kind: 'rule.ordered', tenant: TENANT, subject: 'r', body };
}

const EVERY_KIND: Readonly<Record<ControlKind, NewControlRecord>> = {
  'tenant.changed': {
    kind: 'tenant.changed',
    tenant: TENANT,
    subject: TENANT,
    body: { id: TENANT, name: 'acme', key: KEY.toString('base64url') },
  },
  'source.changed': {
    kind: 'source.changed',
    tenant: TENANT,
    subject: 's',
    body: { id: 's' },
  } as unknown as NewControlRecord,
  'caller.changed': {
    kind: 'caller.changed',
    tenant: TENANT,
    subject: 'c',
    body: { id: 'c', roles: {}, secrets: [], disabled: false },
  },
  'rule.ordered': ordered({ user: { iss: 'https://idp.example', sub: 'u' } }),
  'rule.lifted': {
    kind: 'rule.lifted',
    tenant: TENANT,
    subject: 'r',
    body: { rule: 'r', resume: true, reason: 'spec', author },
  },
  'subject.enabled': {
    kind: 'subject.enabled',
    tenant: TENANT,
    subject: 's',
    body: { shape: 8, key: '', origin: { source: 's', event: 'e', at: 0 } },
  },
};

describe('what a record means to guards', () => {
  it.each([
    ['tenant.changed', { kind: 'forget', caller: undefined }],
    ['source.changed', { kind: 'forget', caller: undefined }],
    ['caller.changed', { kind: 'forget', caller: 'c' }],
    ['rule.ordered', { kind: 'rule', resource: undefined }],
    ['rule.lifted', { kind: 'seq' }],
    ['subject.enabled', { kind: 'seq' }],
  ] as const)('%s', (kind, effect) => {
    expect(effectOf(committed(9, EVERY_KIND[kind]))).toMatchObject(effect);
  });

  it('a rule is told by its selector, without names; its resource says whom it concerns', () => {
    const resource = 'https://api.example';
    const record = committed(9, ordered({ user: { iss: 'https://idp.example', sub: 'u' }, resource }));
    const effect = effectOf(record);
    const alone = selectorKey(KEY, { resource });
    expect(effect).toMatchObject({ kind: 'rule', resource: Buffer.from(alone.key, 'latin1').toString('base64url') });
    const { shape, key } = record.body as { shape: number; key: string };
    expect((effect as { frame: string }).frame).toBe(`id: 9\nevent: rule\ndata: ${JSON.stringify({ shape, key })}\n\n`);
  });
});

describe('recent records', () => {
  const put = (to: number, head = 0, max = 4) => {
    let now = 0;
    const sut = createRecentRecords({ head: BigInt(head) as Seq, max, monotonic: () => now });
    for (let seq = head + 1; seq <= to; seq++) {
      now = seq * 10;
      sut.put(committed(seq, EVERY_KIND['rule.ordered']));
    }
    return sut;
  };
  const since = (sut: ReturnType<typeof put>, after: number) =>
    sut.since(BigInt(after) as Seq)?.map(({ seq }) => Number(seq));

  it.each([
    ['nothing was put', put(7, 7), 7, []],
    ['the head', put(3), 3, []],
    ['what is all there', put(3), 0, [1, 2, 3]],
    ['just what is left', put(9), 5, [6, 7, 8, 9]],
    ['one more than is left', put(9), 4, undefined],
    ['what was before the process', put(9, 7), 6, undefined],
    ['where the process began', put(9, 7), 7, [8, 9]],
    ['beyond the head', put(9), 10, undefined],
  ] as const)('after %s', (_, sut, after, expected) => {
    expect(since(sut, after)).toEqual(expected);
  });

  it('say when each was applied; what is forgotten was long ago, what is to come was not', () => {
    const sut = put(9);
    expect([4, 5, 6, 9, 10].map((seq) => sut.appliedAt(BigInt(seq) as Seq))).toEqual([
      -Infinity,
      -Infinity,
      60,
      90,
      undefined,
    ]);
  });

  it('have no gap: one that does not follow is refused', () => {
    const sut = put(3);
    for (const seq of [3, 5]) expect(() => sut.put(committed(seq, EVERY_KIND['rule.ordered']))).toThrow(TypeError);
  });
});
