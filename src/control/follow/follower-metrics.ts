import type { Metrics } from '../../platform/observe/index.js';
import type { ControlFollower } from './follower.pg.js';

const OUTCOMES = ['confirmed', 'waited-out', 'not-confirmed'] as const;

/** Returns the follower with another `whenInForce`. Everything else, getters included, is read from the original. */
export function withWait(follower: ControlFollower, whenInForce: ControlFollower['whenInForce']): ControlFollower {
  return Object.create(follower, { whenInForce: { value: whenInForce } }) as ControlFollower;
}

/** Adds metrics to the follower: the state it applied, its right to answer, and how long orders wait to be in force. */
export function measureFollower(follower: ControlFollower, metrics: Metrics): ControlFollower {
  measureState(follower, metrics);
  const seconds = metrics.histogram(
    'rescind_in_force_seconds',
    'From the commit of an order until it is in force everywhere, or nobody can tell.',
    ['outcome'],
  );
  // Each series starts at zero: if a series appeared with its first failure, `increase()` would be 0 and no alert would fire.
  for (const outcome of OUTCOMES) seconds.zero({ outcome });
  return withWait(follower, async (seq, tenant) => {
    const startedAt = performance.now();
    const end = (outcome: (typeof OUTCOMES)[number]): void =>
      seconds.observe({ outcome }, (performance.now() - startedAt) / 1000);
    try {
      const confirmed = await follower.whenInForce(seq, tenant);
      end(confirmed.expired > 0 ? 'waited-out' : 'confirmed');
      return confirmed;
    } catch (error) {
      end('not-confirmed');
      throw error;
    }
  });
}

function measureState(follower: ControlFollower, metrics: Metrics): void {
  const { state } = follower;
  metrics.gauge('rescind_control_seq', 'Seq of the last control record that is applied here.', [], () =>
    Number(state.head),
  );
  metrics.gauge(
    'rescind_control_seq_timestamp_seconds',
    'When that record was committed.',
    [],
    () => state.headAt / 1000,
  );
  metrics.gauge('rescind_current', 'Whether this process may answer introspection now (1) or not (0).', [], () =>
    Number(follower.isCurrent()),
  );
  metrics.gauge(
    'rescind_lease_remaining_seconds',
    'How long this process may answer introspection without another renewal.',
    [],
    () => follower.measured().leaseRemainingMs / 1000,
  );
  const measured = (name: string, help: string, read: () => number | undefined): void =>
    metrics.observed(name, help, [], () =>
      [read()].flatMap((value) => (value === undefined ? [] : [[{}, value] as const])),
    );
  measured(
    'rescind_nodes',
    'Processes that answer introspection, as the database lists them.',
    () => follower.measured().nodes,
  );
  measured(
    'rescind_node_clock_offset_seconds',
    "How far the clock of this host is from the database's, at least.",
    () => {
      const ms = follower.measured().clockDifferenceMs;
      return ms === undefined ? undefined : ms / 1000;
    },
  );
  metrics.observed('rescind_rules', 'Revocation rules in memory, by tenant.', ['tenant'], () =>
    [...state.tenants()].map(({ name, rules }) => [{ tenant: name }, rules.size] as const),
  );
  metrics.observed('rescind_registered', 'What is registered, by kind.', ['kind'], () =>
    (['tenants', 'sources', 'callers'] as const).map((kind) => [{ kind }, [...state[kind]()].length] as const),
  );
}
