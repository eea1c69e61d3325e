import { pino } from 'pino';
import { createLineBudget } from './line-budget.js';
import { maskSecrets } from './masking.js';
import { createRepeatFilter } from './repeated-problems.js';

export type Log = pino.Logger;

export interface LogDestination {
  write(line: string): unknown;
}

/**
 * Structured log, one JSON object a line. Lines of one kind are bounded in number ({@link createLineBudget}), and the same problem is written once
 * in a while ({@link createRepeatFilter}), except below `info`. Every finished line passes through {@link maskSecrets}, so neither a message, a nested
 * member nor an error's stack can carry a token or a secret out, whoever logs it.
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
  budget.onSuppressed((kind, lines) => log.warn({ kind, lines }, 'lines of the log were left out: there were more of one kind than are written'));
  return log;
}

const INFO_LEVEL = 30;

/** The text of a line without its members. Messages of ours are constant; numbers in those of others are not what tells kinds apart. */
function kindOf(args: readonly unknown[]): string {
  const message = typeof args[0] === 'string' ? args[0] : args[1];
  const text = typeof message === 'string' ? message : args[0] instanceof Error ? args[0].message : '';
  return text.slice(0, MAX_KIND_LENGTH).replaceAll(/\d+/g, '#');
}

const MAX_KIND_LENGTH = 80;

/** node-postgres hangs the whole connection on an error, with its parameters and prepared statements. */
function serializeError(error: Error): unknown {
  const serialized: unknown = pino.stdSerializers.err(error);
  if (typeof serialized !== 'object' || serialized === null) return serialized;
  return Object.fromEntries(Object.entries(serialized).filter(([name]) => name !== 'client'));
}
