import { pino } from 'pino';
import { maskSecrets } from './masking.js';

export type Log = pino.Logger;

export interface LogDestination {
  write(line: string): unknown;
}

/** The same problem is written at most this often. While a server is away, every part that wants it meets the same problem several times a second. */
export const REPEAT_AFTER_MS = 10_000;
/** Different problems that are remembered; a new one beyond them takes the place of the oldest. */
const MAX_REMEMBERED = 256;

/**
 * Structured log, one JSON object a line. A line with an error that was written a moment ago is left out and counted: the next one of its
 * kind says how many (`left_out`). Every finished line passes through {@link maskSecrets}, so neither a message, a nested
 * member nor an error's stack can carry a token or a secret out, whoever logs it.
 */
export function createLog(options: { level: string; destination?: LogDestination; repeatAfterMs?: number }): Log {
  const destination = options.destination ?? process.stderr;
  return pino(
    {
      level: options.level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { logMethod: leaveOutRepeats(options.repeatAfterMs ?? REPEAT_AFTER_MS) },
      serializers: { err: serializeError, error: serializeError },
    },
    { write: (line: string) => void destination.write(maskSecrets(line)) },
  );
}

function leaveOutRepeats(repeatAfterMs: number): NonNullable<NonNullable<pino.LoggerOptions['hooks']>['logMethod']> {
  const remembered = new Map<string, { writtenAt: number; leftOut: number }>();
  return function logMethod(args, method, level) {
    const [members, message] = args as unknown as [unknown, unknown];
    const { err } = (typeof members === 'object' && members !== null ? members : {}) as { readonly err?: unknown };
    if (typeof err !== 'object' || err === null) return method.apply(this, args);
    const { code, message: problem } = err as { readonly code?: unknown; readonly message?: unknown };
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
    if (last === undefined || last.leftOut === 0) return method.apply(this, args);
    const told = { ...(members as object), left_out: last.leftOut };
    return method.apply(this, [told, ...(args as unknown[]).slice(1)] as unknown as typeof args);
  };
}

/** node-postgres hangs the whole connection on an error, with its parameters and prepared statements. */
function serializeError(error: Error): unknown {
  const serialized: unknown = pino.stdSerializers.err(error);
  if (typeof serialized !== 'object' || serialized === null) return serialized;
  return Object.fromEntries(Object.entries(serialized).filter(([name]) => name !== 'client'));
}
