import { COUNT_ARRIVED, type Snapshot } from '../../projections/index.js';
import { inconsistent, readIndex, readIndexBehind, type Parameters } from '../ask/parameters.js';
import { readWindow, windowAt, type AskedWindow } from '../ask/window.js';

/** Entries of a ledger from `first` to `end` (exclusive). */
export interface IndexWindow {
  readonly first: bigint;
  readonly end: bigint;
}

/** A window of the ledger as it was asked for: by arrival, by index, or one end by each. */
export interface AskedIndexWindow {
  readonly times: AskedWindow;
  readonly afterIndex: bigint | undefined;
  readonly beforeIndex: bigint | undefined;
}

export const INDEX_WINDOW_PARAMETERS = ['from', 'to', 'after_index', 'before_index'] as const;

export function readIndexWindow(parameters: Parameters): AskedIndexWindow {
  for (const [time, index] of [
    ['from', 'after_index'],
    ['to', 'before_index'],
  ] as const)
    if (parameters.has(time) && parameters.has(index)) throw inconsistent(`give \`${time}\` or \`${index}\`, not both`);
  const [after, before] = [parameters.get('after_index'), parameters.get('before_index')];
  return {
    times: readWindow(parameters),
    afterIndex: after === undefined ? undefined : readIndexBehind(after),
    beforeIndex: before === undefined ? undefined : readIndex(before),
  };
}

/** Finds the window among the entries below the snapshot's index. It is empty if nothing lies in it. */
export async function findIndexWindow(snapshot: Snapshot, asked: AskedIndexWindow): Promise<IndexWindow> {
  const times = windowAt(asked.times, snapshot.at);
  const countBefore = async (seconds: number): Promise<bigint> => {
    const by = seconds * 1000 - 1;
    const [row] = await snapshot.rows<{ index: string }>(COUNT_ARRIVED, [by, String(snapshot.index)]);
    return BigInt(row!.index);
  };
  const first = times.from === undefined ? (asked.afterIndex ?? -1n) + 1n : await countBefore(times.from);
  const end = times.to === undefined ? (asked.beforeIndex ?? snapshot.index) : await countBefore(times.to);
  const last = end < snapshot.index ? end : snapshot.index;
  return { first, end: last < first ? first : last };
}
