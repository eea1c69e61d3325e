import { describe, expect, it, jest } from '@jest/globals';
import { RescindError } from '../../contracts/index.js';
import { createMetrics } from '../../platform/observe/index.js';
import { measureFollower, withWait } from './follower-metrics.js';
import type { ControlFollower, Measured } from './follower.pg.js';
import type { ControlRecord, Seq } from '../log/records.js';
import { createControlState } from '../state/state.js';
import { DEFAULT_TOKEN_PROFILE } from '../log/token-profile.js';
import type { Confirmed } from '../../lease/index.js';

const CONFIRMED: Confirmed = { nodes: 2, guards: 3, expired: 0 };

function given() {
  const state = createControlState();
  const world = {
    isCurrent: false,
    measured: { leaseRemainingMs: 0, clockDifferenceMs: undefined, nodes: undefined, guards: undefined } as Measured,
    confirmed: CONFIRMED as Confirmed | Error,
    asked: [] as unknown[],
  };
  const follower = {
    state,
    isCurrent: () => world.isCurrent,
    measured: () => world.measured,
    async whenInForce(seq: Seq, tenant?: string) {
      world.asked.push([seq, tenant]);
      if (world.confirmed instanceof Error) throw world.confirmed;
      return world.confirmed;
    },
  } as unknown as ControlFollower;
  const metrics = createMetrics();
  const sut = measureFollower(follower, metrics);
  /** The lines of a metric, without its name. */
  const lines = async (name: string): Promise<string[]> =>
    (await metrics.text())
      .split('\n')
      .filter((line) => line.startsWith(name) && !line.includes('_bucket'))
      .map((line) => line.slice(name.length).trim());
  return { state, world, follower, sut, lines };
}

function apply(state: ReturnType<typeof createControlState>, at: number): void {
  const record = (seq: number, kind: string, subject: string, body: object) =>
    state.apply({ seq: BigInt(seq) as Seq, version: 1, at, kind, tenant: 't', subject, body } as ControlRecord);
  record(1, 'tenant.changed', 't', { id: 't', name: 'default', key: Buffer.alloc(32, 1).toString('base64url') });
  const source = (id: string) => ({
    id,
    name: id,
    uri: `https://${id}.example`,
    topic: id,
    types: [],
    issuers: [],
    resources: [],
    profile: DEFAULT_TOKEN_PROFILE,
    disabled: false,
  });
  record(2, 'source.changed', 'a', source('a'));
  record(3, 'source.changed', 'b', source('b'));
  record(4, 'caller.changed', 'c', { id: 'c', roles: {}, secrets: [], disabled: false });
  record(5, 'caller.changed', 'd', { id: 'd', roles: {}, secrets: [], disabled: false });
  record(6, 'caller.changed', 'e', { id: 'e', roles: {}, secrets: [], disabled: false });
}

describe('the metrics of a follower', () => {
  it('say what is applied, held and registered at the moment of the question', async () => {
    const { state, world, lines } = given();
    expect(await lines('rescind_control_seq')).toEqual(['0', '_timestamp_seconds 0']);
    expect(await lines('rescind_current')).toEqual(['0']);
    apply(state, 1_790_000_000_500);
    world.isCurrent = true;
    expect(await lines('rescind_control_seq')).toEqual(['6', '_timestamp_seconds 1790000000.5']);
    expect(await lines('rescind_current')).toEqual(['1']);
    expect(await lines('rescind_rules')).toEqual(['{tenant="default"} 0']);
    expect(await lines('rescind_registered')).toEqual([
      '{kind="tenants"} 1',
      '{kind="sources"} 2',
      '{kind="callers"} 3',
    ]);
  });

  it('leave out what was not measured, and show it in seconds when it was', async () => {
    const { world, lines } = given();
    expect([await lines('rescind_nodes'), await lines('rescind_node_clock_offset_seconds')]).toEqual([[], []]);
    expect(await lines('rescind_lease_remaining_seconds')).toEqual(['0']);
    world.measured = { leaseRemainingMs: 2_500, clockDifferenceMs: 250, nodes: 3, guards: 0 };
    expect([await lines('rescind_nodes'), await lines('rescind_node_clock_offset_seconds')]).toEqual([['3'], ['0.25']]);
    expect(await lines('rescind_lease_remaining_seconds')).toEqual(['2.5']);
  });

  it('count every wait by how it ended, each outcome from zero on, and change nothing of it', async () => {
    const { world, sut, lines } = given();
    const counts = async (): Promise<unknown> => (await lines('rescind_in_force_seconds_count')).toSorted();
    expect(await counts()).toEqual([
      '{outcome="confirmed"} 0',
      '{outcome="not-confirmed"} 0',
      '{outcome="waited-out"} 0',
    ]);
    expect(await sut.whenInForce(7n as Seq, 't')).toBe(CONFIRMED);
    world.confirmed = { ...CONFIRMED, expired: 1 };
    expect(await sut.whenInForce(8n as Seq)).toBe(world.confirmed);
    expect(await sut.whenInForce(9n as Seq)).toBe(world.confirmed);
    world.confirmed = new RescindError('not-confirmed');
    await expect(sut.whenInForce(10n as Seq)).rejects.toBe(world.confirmed);
    expect(world.asked).toEqual([
      [7n, 't'],
      [8n, undefined],
      [9n, undefined],
      [10n, undefined],
    ]);
    expect(await counts()).toEqual([
      '{outcome="confirmed"} 1',
      '{outcome="not-confirmed"} 1',
      '{outcome="waited-out"} 2',
    ]);
  });

  it('measure a wait in seconds', async () => {
    const { follower, sut, lines } = given();
    let nowMs = 1_000_000;
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    try {
      jest.spyOn(follower, 'whenInForce').mockImplementation(async () => ((nowMs += 1_500), CONFIRMED));
      await sut.whenInForce(7n as Seq);
    } finally {
      jest.restoreAllMocks();
    }
    expect(await lines('rescind_in_force_seconds_sum')).toContain('{outcome="confirmed"} 1.5');
  });

  it('with another wait, the follower stays what it is', async () => {
    const { follower, world } = given();
    const other = withWait(follower, async () => ({ nodes: 0, guards: 0, expired: 0 }));
    world.isCurrent = true;
    expect([other.isCurrent(), other.state, await other.whenInForce(1n as Seq)]).toEqual([
      true,
      follower.state,
      { nodes: 0, guards: 0, expired: 0 },
    ]);
  });
});
