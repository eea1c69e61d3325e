/** Lines of one kind that may be written in one window. */
export const LINES_A_KIND = 20;
export const WINDOW_MS = 60_000;
/** Kinds that are counted separately in one window. All further kinds share one budget. */
export const MAX_KINDS = 200;
const FURTHER_KINDS = 'any other kind';

export interface LineBudget {
  /** Whether a line of this kind may be written. */
  take(kind: string): boolean;
  /** Registers `tell`, which is called at the end of each window for each kind with suppressed lines. */
  onSuppressed(tell: (kind: string, lines: number) => void): void;
}

/** Bounds the volume of a log: a failure that repeats writes a few lines a minute and then a number, whoever causes it. */
export function createLineBudget(): LineBudget {
  const taken = new Map<string, number>();
  let tell: (kind: string, lines: number) => void = () => undefined;
  let isRunning = false;

  function endWindow(): void {
    isRunning = false;
    const all = [...taken];
    taken.clear();
    for (const [kind, lines] of all) if (lines > LINES_A_KIND) tell(kind, lines - LINES_A_KIND);
  }

  return {
    take(wanted) {
      if (!isRunning) {
        isRunning = true;
        setTimeout(endWindow, WINDOW_MS).unref();
      }
      const kind = taken.has(wanted) || taken.size < MAX_KINDS ? wanted : FURTHER_KINDS;
      const lines = (taken.get(kind) ?? 0) + 1;
      taken.set(kind, lines);
      return lines <= LINES_A_KIND;
    },
    onSuppressed(listener) {
      tell = listener;
    },
  };
}
