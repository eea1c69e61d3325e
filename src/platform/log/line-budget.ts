/** Lines of one kind that are written in one window. */
export const LINES_A_KIND = 20;
export const WINDOW_MS = 60_000;
/** Kinds that are told apart in one window; all further ones share one budget. */
export const MAX_KINDS = 200;
const FURTHER_KINDS = 'any other kind';

export interface LineBudget {
  /** Whether a line of this kind may be written. */
  take(kind: string): boolean;
  /** `tell` is called at the end of each window, for each kind of which lines were left out. */
  onSuppressed(tell: (kind: string, lines: number) => void): void;
}

/** Bounds the volume of a log: whatever fails in a loop, and whoever makes it fail, writes a line some times a minute and then a number. */
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
