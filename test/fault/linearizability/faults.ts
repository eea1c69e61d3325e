import { setTimeout as delay } from 'node:timers/promises';
import type { Deployment } from './deployment.js';
import { hostClock, type HostMs } from './history.js';
import type { Directions, Link } from './link.js';
import type { GuardProcess } from './load.js';
import type { Node } from './node.js';
import type { Random } from './random.js';

export const FAULT_KINDS = [
  'kill',
  'stop',
  'cut',
  'slow',
  'swallow',
  'hold',
  'postgres',
  'kafka',
  'leave',
  'join',
  'guard.kill',
  'guard.stop',
  'guard.link',
  'guard.leave',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];
const LINK_KINDS = ['cut', 'slow', 'swallow', 'hold'] as const satisfies readonly FaultKind[];
type LinkKind = (typeof LINK_KINDS)[number];

/** One fault: the part that was broken, and from when until when. */
export interface Fault {
  readonly kind: FaultKind;
  /** A node, a guard or a service. */
  readonly of: string;
  readonly from: HostMs;
  to: HostMs;
}

/** Percentage of the faults that come with a broken link of some node beside them. */
const DOUBLE_PERCENT = 40;

export interface FaultsOptions {
  readonly deployment: Pick<Deployment, 'nodes' | 'guest' | 'postgres' | 'kafka'>;
  readonly guards: readonly GuardProcess[];
  readonly random: Random;
  readonly leaseMs: number;
  readonly kinds: readonly FaultKind[];
  readonly done: Fault[];
  /** Nodes that did not go in order when they were asked to. */
  readonly stuck: string[];
  readonly onFault: (fault: Fault) => void;
  /** No new faults from then on. */
  readonly ended: AbortSignal;
}

/** Breaks one thing after the other, or two at once, each kind before any of them again. Resolves when all is healed. */
export async function injectFaults({
  deployment,
  guards,
  random,
  leaseMs,
  kinds,
  done,
  stuck,
  onFault,
  ended,
}: FaultsOptions): Promise<void> {
  const { nodes, guest, postgres, kafka } = deployment;
  let kafkaComesBack: Promise<void> = Promise.resolve();

  async function breakAs(kind: FaultKind, of: string, work: () => Promise<void>): Promise<void> {
    const fault: Fault = { kind, of, from: hostClock(), to: Infinity };
    done.push(fault);
    onFault(fault);
    await work();
    fault.to = hostClock();
  }

  /** Shorter or longer than a lease, mostly longer. */
  const aroundALease = (): Promise<void> =>
    delay(random.chance(70) ? random.between(1.05 * leaseMs, 2.5 * leaseMs) : random.between(0.2 * leaseMs, leaseMs));
  const longerThanALease = (): Promise<void> => delay(random.between(1.05 * leaseMs, 2 * leaseMs));
  const directions = (): Directions =>
    random.pick([
      { from: true, to: true },
      { from: true, to: false },
      { from: false, to: true },
    ] as const);

  async function spoil(link: Link, kind: LinkKind): Promise<void> {
    if (kind === 'cut') link.cut();
    else if (kind === 'slow') link.slow(random.between(10, 0.45 * leaseMs), directions());
    else link[kind](directions());
    await aroundALease();
    // The bytes that arrived late may be the last ones that arrive.
    if (kind === 'slow' && random.chance(50)) {
      link.swallow({ from: true, to: true });
      await longerThanALease();
    }
    link.heal();
  }

  async function stopAndGoOn({ pause }: { pause(): () => void }): Promise<void> {
    const goOn = pause();
    await aroundALease();
    goOn();
  }

  function perform(kind: FaultKind, node: Node): Promise<void> {
    const guard = random.pick(guards);
    const at = (work: () => Promise<void>): Promise<void> => breakAs(kind, node.name, work);
    switch (kind) {
      case 'kill':
        return at(async () => {
          await node.kill();
          await delay(random.between(0, leaseMs));
          await node.start();
        });
      case 'stop':
        return at(() => stopAndGoOn(node));
      case 'cut':
      case 'slow':
      case 'swallow':
      case 'hold':
        return at(() => spoil(node.link, kind));
      case 'leave':
        return at(async () => {
          // A node that does not leave is killed, and the run goes on: its answers meanwhile are judged all the same.
          await node.leave().catch((error: Error) => void stuck.push(error.message));
          await delay(random.between(0, 1_000));
          await node.start();
        });
      case 'join':
        return breakAs(kind, guest.name, async () => {
          await guest.start();
          await delay(random.between(0, leaseMs));
          await (random.chance(50)
            ? guest.leave().catch((error: Error) => void stuck.push(error.message))
            : guest.kill());
        });
      case 'postgres':
        return breakAs(kind, kind, async () => {
          postgres.kill();
          await delay(random.between(0, 1.5 * leaseMs));
          await postgres.start();
        });
      case 'kafka':
        // It takes its time to come back, and nothing waits for it.
        kafkaComesBack = kafkaComesBack.then(() =>
          breakAs(kind, kind, async () => {
            kafka.kill();
            await delay(random.between(0, leaseMs));
            await kafka.start();
          }),
        );
        return Promise.resolve();
      case 'guard.kill':
      case 'guard.leave':
        return breakAs(kind, guard.name, async () => {
          await (kind === 'guard.kill' ? guard.kill() : guard.leave());
          await delay(random.between(0, 500));
          await guard.start();
        });
      case 'guard.stop':
        return breakAs(kind, guard.name, () => stopAndGoOn(guard));
      case 'guard.link':
        return breakAs(kind, guard.name, () => spoil(guard.link, random.pick(LINK_KINDS)));
      default:
        return kind satisfies never;
    }
  }

  while (!ended.aborted) {
    for (const kind of random.shuffle(kinds)) {
      if (ended.aborted) break;
      const beside = random.chance(DOUBLE_PERCENT) ? perform(random.pick(LINK_KINDS), random.pick(nodes)) : undefined;
      await Promise.all([perform(kind, random.pick(nodes)), beside]);
      await delay(random.between(200, leaseMs));
    }
  }
  await kafkaComesBack;
}
