/**
 * Minimum time between two lines about the same problem. While a server is away, every part that uses it meets the problem several times
 * a second.
 */
export const REPEAT_AFTER_MS = 10_000;
/** Number of different problems that are remembered. A further one replaces the oldest. */
const MAX_REMEMBERED = 256;

/**
 * Leaves out a line with an error (member `err` or `stack`) that was written a moment ago, and counts it. The next line of its kind
 * reports the count (`left_out`). Takes the arguments of a line and returns those to write, or undefined.
 */
export function createRepeatFilter(
  repeatAfterMs = REPEAT_AFTER_MS,
): (level: number, args: readonly unknown[]) => readonly unknown[] | undefined {
  const remembered = new Map<string, { readonly writtenAt: number; leftOut: number }>();
  return (level, args) => {
    const [members, message] = args;
    const { err, stack } = (typeof members === 'object' && members !== null ? members : {}) as {
      readonly err?: unknown;
      readonly stack?: unknown;
    };
    const hasError = typeof err === 'object' && err !== null;
    // kafkajs passes its error's stack beside the message.
    if (!hasError && typeof stack !== 'string') return args;
    const { code, message: problem } = (hasError ? err : {}) as { readonly code?: unknown; readonly message?: unknown };
    const kind = `${level} ${String(message)} ${String(code)} ${String(problem)}`;
    const now = performance.now();
    const last = remembered.get(kind);
    if (last !== undefined && now - last.writtenAt < repeatAfterMs) {
      last.leftOut += 1;
      return undefined;
    }
    remembered.delete(kind);
    remembered.set(kind, { writtenAt: now, leftOut: 0 });
    if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!);
    return last === undefined || last.leftOut === 0
      ? args
      : [{ ...(members as object), left_out: last.leftOut }, ...args.slice(1)];
  };
}
