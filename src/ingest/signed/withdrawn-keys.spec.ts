import { createPublicKey } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { makeProducerKey, setOf } from '../../../test/support/signed.js';
import { audienceOfTenant, type CloudEvent } from '../../contracts/index.js';
import type { ControlState, Source } from '../../control/index.js';
import type { VerificationKey } from '../../registry/index.js';
import { createSignatureChecks } from './signature-checks.js';

const TENANT = '00000000-0000-4000-8000-000000000001';
const TOPIC = 'rescind.events.chat';
const source = {
  id: 's-1',
  name: 'chat',
  uri: 'urn:chat',
  topic: TOPIC,
  tenant: TENANT,
  disabled: false,
  profile: { algorithms: ['ES256'] },
} as unknown as Source;

it.each([
  ['that the source still has', true, { isGood: true, source: 's-1' }],
  ['that was withdrawn while the signature was checked', false, { isGood: false, code: 'unknown-key' }],
])('a signature by a key %s', async (_, holds, outcome) => {
  const key = await makeProducerKey('k-1');
  const verification = { key: createPublicKey({ key: key.publicJwk as never, format: 'jwk' }) } as VerificationKey;
  const sut = createSignatureChecks({
    state: { sourceByUri: () => source, sourcesOfTopic: () => [source] } as unknown as ControlState,
    keySets: { find: () => [verification], holds: () => holds, isUnreachable: () => false },
    recordKeys: async () => undefined,
  });
  const event = { source: 'urn:chat', type: 'x', id: 'e-1', time: '2026-12-01T00:00:00Z', data: {} };
  const set = await setOf(key, event as unknown as CloudEvent, audienceOfTenant(TENANT));
  const arrived = { mode: 'set', headers: [], bytes: Buffer.from(set), door: { kind: 'kafka', topic: TOPIC } } as const;
  expect((await sut.checkSet(arrived)).signature).toMatchObject(outcome);
});
