import type { Wrong } from '../wrong.js';

/** Groups of things that a check of a database looks at. */
export type Kind =
  | 'ledger_head'
  | 'entry'
  | 'payload'
  | 'entry_remainder'
  | 'tree_tile'
  | 'tree_head'
  | 'ledger_checkpoint'
  | 'ledger_key'
  | 'file'
  | 'topic'
  | 'control_log'
  | 'projection';

export interface WrongOfKind extends Wrong {
  readonly kind: Kind;
  /** Wrong things of the kind in all; the first of them is named. */
  readonly count: number;
}

/** Remembers the first wrong thing of each kind, in the order in which they are found. */
export function createFound() {
  const found = new Map<Kind, WrongOfKind>();
  return {
    add(kind: Kind, place: string, problem: string): void {
      const first = found.get(kind);
      found.set(kind, first ? { ...first, count: first.count + 1 } : { kind, place, problem, count: 1 });
    },
    list: (): readonly WrongOfKind[] => [...found.values()],
  };
}

export type Found = ReturnType<typeof createFound>;
