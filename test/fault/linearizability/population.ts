import type { HostMs, RecordedToken, Value } from './history.js';
import type { Load, Told } from './load.js';
import type { Random } from './random.js';
import type { Minted } from './universe.js';

/** The tokens of a run: all that were ever recorded, and those that may be active. */
export interface Population {
  /** All tokens; a token's number in the history is its position. */
  readonly tokens: readonly RecordedToken[];
  readonly liveCount: number;
  minted(token: number): Minted;
  /** Adds a token whose lineage is completely recorded. Returns its number. */
  join(minted: Minted, began: HostMs, recorded: HostMs): number;
  pickLive(): number | undefined;
  /** Finds the live tokens that have every value of the selector. */
  selected(selector: readonly Value[]): number[];
  /** Notes that the tokens can never be active again. */
  bury(tokens: readonly number[]): void;
  /** Checks some of these everywhere, now. */
  focus(tokens: readonly number[]): void;
  /** Tells it what there is, and from now on what changes. */
  attach(load: Load): void;
  detach(load: Load): void;
}

/** Number of tokens selected by an order that are checked everywhere at once. */
const FOCUSED = 24;

export function createPopulation(random: Random): Population {
  const tokens: RecordedToken[] = [];
  const minted: Minted[] = [];
  const numbers = new Map<Minted, number>();
  const live = new Set<number>();
  const holding = new Map<Value, Set<number>>();
  const loads = new Set<Load>();
  let liveList: number[] | undefined;

  const tell = (told: Told): void => {
    for (const load of loads) load.tell(told);
  };

  return {
    tokens,
    get liveCount() {
      return live.size;
    },
    minted: (token) => minted[token]!,
    join(of, began, recorded) {
      const token = tokens.length;
      const parent = of.parent && tokens[numbers.get(of.parent)!]!;
      tokens.push({
        values: of.values,
        grantedAt: of.grantedAt,
        skew: of.skew,
        recordingBegan: Math.min(began, parent?.recordingBegan ?? began),
        recorded: Math.min(recorded, parent?.recorded ?? recorded),
      });
      minted.push(of);
      numbers.set(of, token);
      live.add(token);
      liveList = undefined;
      for (const value of of.values) {
        const same = holding.get(value);
        if (same) same.add(token);
        else holding.set(value, new Set([token]));
      }
      tell({ know: [[token, of.text]], live: [token] });
      return token;
    },
    pickLive() {
      liveList ??= [...live];
      return liveList.length === 0 ? undefined : random.pick(liveList);
    },
    selected([first, ...others]) {
      if (first === undefined) return [...live];
      return [...(holding.get(first) ?? [])].filter((token) =>
        others.every((value) => tokens[token]!.values.has(value)),
      );
    },
    bury(dead) {
      for (const token of dead) {
        if (!live.delete(token)) continue;
        for (const value of tokens[token]!.values) holding.get(value)!.delete(token);
      }
      liveList = undefined;
      tell({ dead });
    },
    focus(on) {
      tell({ focus: on.length <= FOCUSED ? on : random.shuffle(on).slice(0, FOCUSED) });
    },
    attach(load) {
      loads.add(load);
      load.tell({ know: minted.map(({ text }, token) => [token, text] as const), live: [...live] });
    },
    detach: (load) => void loads.delete(load),
  };
}
