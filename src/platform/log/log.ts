import { pino } from 'pino';
import { createLineBudget } from './line-budget.js';
import { maskSecrets } from './masking.js';
import { createRepeatFilter } from './repeated-problems.js';

export type Log = pino.Logger;

export interface LogDestination {
  write(line: string): unknown;
}

/**
 * Creates a structured log, one JSON object a line. The number of lines of one kind is bounded ({@link createLineBudget}). Above level
 * `debug`, the same problem is written only once in a while ({@link createRepeatFilter}). Every finished line passes through
 * {@link maskSecrets}, so no message, nested member or error stack can carry a token or a secret out, whoever logs it.
 */
export function createLog(options: { level: string; destination?: LogDestination; repeatAfterMs?: number }): Log {
  const destination = options.destination ?? process.stderr;
  const budget = createLineBudget();
  const unlessRepeated = createRepeatFilter(options.repeatAfterMs);
  const log = pino(
    {
      level: options.level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError, error: serializeError },
      hooks: {
        logMethod(args, method, level) {
          if (level < INFO_LEVEL) return method.apply(this, args);
          const told = unlessRepeated(level, args);
          if (told && budget.take(`${level} ${kindOf(args)}`)) method.apply(this, told as typeof args);
          return undefined;
        },
      },
    },
    { write: (line: string) => void destination.write(maskSecrets(line)) },
  );
  budget.onSuppressed((kind, lines) =>
    log.warn({ kind, lines }, 'lines of the log were left out: there were too many of one kind'),
  );
  return log;
}

const INFO_LEVEL = 30;

/**
 * Returns a line's text without its members and numbers. Rescind's messages are constant; in other messages, numbers do not distinguish
 * kinds.
 */
function kindOf(args: readonly unknown[]): string {
  const message = typeof args[0] === 'string' ? args[0] : args[1];
  const text = typeof message === 'string' ? message : args[0] instanceof Error ? args[0].message : '';
  return text.slice(0, MAX_KIND_LENGTH).replaceAll(/\d+/g, '#');
}

const MAX_KIND_LENGTH = 80;

/**
 * Serialises an error. node-postgres attaches the whole connection to an error, with its parameters and prepared statements; they are
 * left out.
 */
function serializeError(error: Error): unknown {
  const serialized: unknown = pino.stdSerializers.err(error);
  if (typeof serialized !== 'object' || serialized === null) return serialized;
  return Object.fromEntries(Object.entries(serialized).filter(([name]) => name !== 'client'));
}
