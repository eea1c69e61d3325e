import { expect, it } from '@jest/globals';
import { selectorKey, type Selector } from '../../rules/index.js';
import {
  createControlState,
  type ControlRecord,
  type ControlState,
  type NewControlRecord,
  type RuleOrigin,
  type Seq,
} from '../index.js';

const TENANT = '00000000-0000-4000-8000-000000000001';
const KEY = Buffer.alloc(32, 3);
const CLIENT: Selector = {
  client: { iss: 'https://idp.example', client_id: 'cal' },
  resource: 'https://api.example',
  issuer: 'https://idp.example',
};
const AT = 1_800_000_000_000;
const { shape, key } = selectorKey(KEY, CLIENT);
const ENCODED = { shape, key: Buffer.from(key, 'latin1').toString('base64url') };

function folded(...records: readonly NewControlRecord[]): ControlState {
  const sut = createControlState();
  const tenant: NewControlRecord = {
    kind: 'tenant.changed',
    tenant: TENANT,
    subject: TENANT,
    body: { id: TENANT, name: 'acme', key: KEY.toString('base64url') },
  };
  for (const [at, record] of [tenant, ...records].entries())
    sut.apply({ ...record, seq: BigInt(at + 1) as Seq, version: 1, at: AT } as ControlRecord);
  return sut;
}

const deleted = (origin: Omit<RuleOrigin, 'event'>): NewControlRecord => ({
  kind: 'rule.ordered',
  tenant: TENANT,
  subject: 'rule',
  body: {
    id: 'rule',
    effect: 'block',
    selector: CLIENT,
    ...ENCODED,
    reauthenticate: false,
    reason: 'spec',
    author: { caller: 'spec' },
    origin: { ...origin, event: 'deleted' },
  },
});
const created = (origin: Omit<RuleOrigin, 'event'>): NewControlRecord => ({
  kind: 'subject.enabled',
  tenant: TENANT,
  subject: 'created',
  body: { ...ENCODED, origin: { ...origin, event: 'created' } },
});
const effectOf = (state: ControlState): string | undefined => state.tenant(TENANT)!.rules.get('rule')?.effect;

it.each([
  ['the same connection', { source: 'idp', at: AT + 1, subject: 'one' }, 'revoke'],
  ['another connection with the same selector', { source: 'idp', at: AT + 1, subject: 'other' }, 'block'],
  ['no connection', { source: 'idp', at: AT + 1 }, 'block'],
  ['the same connection, as another source knows it', { source: 'hr', at: AT + 1, subject: 'one' }, 'block'],
  ['the same connection, before', { source: 'idp', at: AT - 1, subject: 'one' }, 'block'],
])('a deletion beside the creation of %s, in either order', (_, origin, effect) => {
  const deletion = deleted({ source: 'idp', at: AT, subject: 'one' });
  expect([effectOf(folded(deletion, created(origin))), effectOf(folded(created(origin), deletion))]).toEqual([
    effect,
    effect,
  ]);
});
