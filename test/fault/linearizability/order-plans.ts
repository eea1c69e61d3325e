import type { Random } from './random.js';
import type { Minted } from './universe.js';

/** Dimensions by how much they select, the most selective first: a selector of the history begins with the member that finds its tokens. */
const DIMENSIONS = [
  'token',
  'id_jag',
  'session',
  'user',
  'agent',
  'client',
  'agent_type',
  'resource',
  'issuer',
] as const;
type Dimension = (typeof DIMENSIONS)[number];

const NARROW: ReadonlySet<string> = new Set(['token', 'id_jag', 'session']);
const WIDE: ReadonlySet<string> = new Set(['client', 'agent_type', 'resource', 'issuer']);

/** Kinds of orders, with the share of each. */
export const ORDER_KINDS = {
  token: 14,
  id_jag: 10,
  session: 14,
  user: 12,
  agent: 8,
  client: 5,
  agent_type: 2,
  resource: 3,
  issuer: 2,
  combination: 20,
  'revoke.recorded': 15,
  'revoke.unrecorded': 4,
} as const;
export type OrderKind = keyof typeof ORDER_KINDS;

const MAX_MEMBERS = 4;

export interface Terms {
  readonly effect: 'revoke' | 'block';
  readonly before?: number;
  readonly until?: number;
  readonly resume?: true;
}

/** How an order goes on once it is in force. */
export type Plan = { readonly terms: Terms; readonly lift?: { readonly resume: boolean; readonly afterMs: number } };

/** Draws what is ordered and how it goes on. */
export interface OrderPlans {
  membersFor(kind: OrderKind, minted: Minted): readonly Dimension[];
  planFor(dimensions: readonly Dimension[]): Plan;
}

export function createOrderPlans(random: Random): OrderPlans {
  const epoch = (): number => Math.floor(Date.now() / 1000);

  function planFor(dimensions: readonly Dimension[]): Plan {
    const chance = random.below(100);
    const blockUntil = (ms: number): Plan => ({
      terms: {
        effect: 'block',
        until: Math.ceil((Date.now() + ms) / 1000),
        ...(random.chance(70) ? { resume: true as const } : {}),
      },
    });
    const blockAndLift = (resumePercent: number, ms: number): Plan => ({
      terms: { effect: 'block' },
      lift: { resume: random.chance(resumePercent), afterMs: random.between(50, ms) },
    });
    const revokeBefore = (seconds: number): Plan => ({
      terms: { effect: 'revoke', before: epoch() - random.below(seconds) },
    });
    if (dimensions.every((dimension) => WIDE.has(dimension)) && dimensions.length === 1) {
      if (chance < 20 && dimensions[0] === 'client') return revokeBefore(60);
      return chance < 85
        ? blockAndLift(100, 1_500)
        : { terms: { effect: 'block', until: Math.ceil(Date.now() / 1000) + 1, resume: true } };
    }
    if (dimensions.some((dimension) => NARROW.has(dimension))) {
      if (chance < 60) return { terms: { effect: 'revoke' } };
      if (chance < 80) return blockAndLift(50, 3_000);
      return chance < 90 ? blockUntil(3_000) : { terms: { effect: 'revoke' } };
    }
    if (chance < 30) return { terms: { effect: 'revoke' } };
    if (chance < 78) return blockAndLift(65, 4_000);
    return chance < 90 ? blockUntil(3_000) : revokeBefore(60);
  }

  function membersFor(kind: OrderKind, minted: Minted): readonly Dimension[] {
    const present = DIMENSIONS.filter((dimension) => minted.members[dimension]);
    if (kind !== 'combination') return present.filter((dimension) => dimension === kind);
    const count = 2 + random.below(MAX_MEMBERS - 1);
    const chosen = new Set(random.shuffle(present).slice(0, count));
    return present.filter((dimension) => chosen.has(dimension));
  }

  return { membersFor, planFor };
}
