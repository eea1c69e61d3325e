import { expect, it } from '@jest/globals';
import type { ControlState } from '../../control/index.js';
import type { Accepted } from '../accept/accept.js';
import { sealEvent } from './write-batch.pg.js';

const state = { tenant: () => ({ key: Buffer.alloc(32, 1) }) } as unknown as ControlState;
const accepted = (): Accepted =>
  ({
    accepted: true,
    source: { id: '0197c1c2-0000-7000-8000-000000000002', tenant: '0197c1c2-0000-7000-8000-000000000001' },
    event: { type: 'dev.rescind.session.ended.v1', id: 'e1' },
    attributes: [],
    arrived: { mode: 'binary', bytes: Buffer.from('{}') },
  }) as unknown as Accepted;

it('an event is sealed once, whoever asks first: its salt and commitment are the ones of the first time', () => {
  const [one, other] = [accepted(), accepted()];
  const entry = sealEvent(one, state);
  for (const attempt of [1, 2])
    expect([attempt, sealEvent(one, state) === entry, sealEvent(other, state) === entry]).toEqual([
      attempt,
      true,
      false,
    ]);
});
