import { moves, type Protocol } from './lease-moves.js';
import { createNaming, firstWorld, tick, type World } from './lease-world.js';

export interface Waits {
  /** Worlds from which it was tried. */
  readonly tried: number;
  /** The longest that a wait went on once nothing new went wrong, in ticks; Infinity where it never ends. */
  readonly longest: number;
}

/** Moves of the running parties in a tick, in this order; each is repeated as long as it is possible. */
const ROUND = [
  /^node \d hears of its (?:join|renew)$/,
  /^node \d: \w+ takes effect$/,
  /^node \d sends renew$/,
  /^node \d (?:hears of its read|joins|adopts its row|leaves)$/,
  /^guard \d applies/,
  /^guard \d hears/,
  /^guard \d's question reaches/,
  /^node \d acknowledges \d$/,
  /^waiter \d finds row \d+ stale and deletes it$/,
  /^waiter \d reads the rows$/,
];

/**
 * Bounded waits end: from every `every`th world that can be reached, and whichever parties stand still from then on (dead,
 * stopped or cut off), those that still run bring every wait to its end.
 */
export function longestWait(protocol: Protocol, limit: number, every: number): Waits {
  const { size } = protocol;
  const naming = createNaming();
  const first = firstWorld(size);
  const seen = new Set([naming.name(first)]);
  const remaining = Array.from({ length: 2 ** (size.nodes + size.guards) }, () => new Map<string, number>());
  let layer = [first];
  let tried = 0;
  let longest = 0;
  while (layer.length > 0 && seen.size < limit) {
    const next: World[] = [];
    for (const world of layer) {
      moves(protocol, world, (_, reached) => {
        const name = naming.name(reached);
        if (seen.has(name)) return;
        seen.add(name);
        const shared = naming.shared(reached);
        next.push(shared);
        if (seen.size % every !== 0 || !isWaiting(shared)) return;
        tried += 1;
        remaining.forEach((known, stopped) => {
          longest = Math.max(longest, ticksToEnd(shared, known, stopped));
        });
      });
    }
    if (longest === Infinity) break;
    layer = next;
  }
  return { tried, longest };

  function ticksToEnd(from: World, known: Map<string, number>, stopped: number): number {
    const passed: string[] = [];
    let world = from;
    let ticks: number | undefined;
    while (ticks === undefined) {
      if (!isWaiting(world)) ticks = 0;
      else {
        const name = naming.name(world);
        // A world that comes again comes for ever.
        ticks = passed.includes(name) ? Infinity : known.get(name);
        if (ticks === undefined) {
          passed.push(name);
          world = naming.shared(tick(round(world, stopped), size));
        }
      }
    }
    for (const name of passed.toReversed()) known.set(name, (ticks += 1));
    return ticks;
  }

  function round(from: World, stopped: number): World {
    let world = from;
    let hasRead = 0;
    for (let steps = 0; steps < 40; steps++) {
      let best = ROUND.length;
      let chosen: World | undefined;
      moves(protocol, world, (label, reached) => {
        if (isStopped(label, stopped)) return;
        const rank = ROUND.findIndex((pattern) => pattern.test(label));
        if (rank >= 0 && rank < best && naming.name(reached) !== naming.name(world)) [best, chosen] = [rank, reached];
      });
      if (!chosen) {
        // Each starts one cycle, and each guard asks once.
        const start = startOf(world, stopped, hasRead);
        if (!start) return world;
        [world, hasRead] = start;
      } else world = chosen;
    }
    return world;
  }

  function startOf(world: World, stopped: number, begun: number): [World, number] | undefined {
    let started: [World, number] | undefined;
    moves(protocol, world, (label, reached) => {
      const who = /^(node|guard) (\d) (?:reads$|asks node (\d))/.exec(label);
      if (started || !who || isStopped(label, stopped)) return;
      if (who[3] !== undefined && isStopped(`node ${who[3]}`, stopped)) return;
      const bit = 1 << (who[1] === 'node' ? Number(who[2]) : size.nodes + Number(who[2]));
      if ((begun & bit) === 0) started = [reached, begun | bit];
    });
    return started;
  }

  function isStopped(label: string, stopped: number): boolean {
    const who = /^(node|guard) (\d)/.exec(label);
    return who !== null && (stopped & (1 << (who[1] === 'node' ? Number(who[2]) : size.nodes + Number(who[2])))) !== 0;
  }
}

const isWaiting = (world: World): boolean => world.waiters.some(({ stage }) => stage === 'waiting');
