/** Signatures of one source that are checked at once. The threads that check them are shared with introspection and every other source. */
const AT_ONCE = 4;

export interface SourceTurns {
  /** Runs `act` once fewer than four others run for the source, in the order of the calls. */
  take<T>(source: string, act: () => Promise<T>): Promise<T>;
}

interface Line {
  running: number;
  readonly waiting: (() => void)[];
}

export function createSourceTurns(): SourceTurns {
  const lines = new Map<string, Line>();
  return {
    async take(source, act) {
      const line = lines.get(source) ?? { running: 0, waiting: [] };
      lines.set(source, line);
      if (line.running < AT_ONCE) line.running += 1;
      else await new Promise<void>((resolve) => line.waiting.push(resolve));
      try {
        return await act();
      } finally {
        const next = line.waiting.shift();
        // The turn is handed on, so nobody can take it in between.
        if (next) next();
        else if ((line.running -= 1) === 0) lines.delete(source);
      }
    },
  };
}
