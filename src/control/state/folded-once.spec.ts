import { expect, it } from '@jest/globals';
import { createControlState, type ControlRecord, type Seq } from '../index.js';

const TENANT = '00000000-0000-4000-8000-000000000001';
const record = (seq: bigint, name: string): ControlRecord =>
  ({
    kind: 'tenant.changed',
    tenant: TENANT,
    subject: TENANT,
    body: { id: TENANT, name, key: Buffer.alloc(32, 3).toString('base64url') },
    seq: seq as Seq,
    version: 1,
    at: 1,
  }) as ControlRecord;

it('a record that was folded is not folded again, the last one included', () => {
  const sut = createControlState();
  sut.apply(record(1n, 'first'));
  sut.apply(record(2n, 'second'));
  const before = [sut.registryVersion, sut.head, sut.tenant(TENANT)?.name];
  sut.apply(record(2n, 'another'));
  sut.apply(record(1n, 'another'));
  expect([sut.registryVersion, sut.head, sut.tenant(TENANT)?.name]).toEqual(before);
  sut.apply(record(3n, 'third'));
  expect([sut.registryVersion, sut.head, sut.tenant(TENANT)?.name]).toEqual([(before[0] as number) + 1, 3n, 'third']);
});
