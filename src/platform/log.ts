import { pino } from 'pino';
import { maskSecrets } from './masking.js';

export type Log = pino.Logger;

export interface LogDestination {
  write(line: string): unknown;
}

/**
 * Structured log, one JSON object a line. Every finished line passes through {@link maskSecrets}, so neither a message, a nested
 * member nor an error's stack can carry a token or a secret out, whoever logs it.
 */
export function createLog(options: { level: string; destination?: LogDestination }): Log {
  const destination = options.destination ?? process.stderr;
  return pino(
    {
      level: options.level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError, error: serializeError },
    },
    { write: (line: string) => void destination.write(maskSecrets(line)) },
  );
}

/** node-postgres hangs the whole connection on an error, with its parameters and prepared statements. */
function serializeError(error: Error): unknown {
  const serialized: unknown = pino.stdSerializers.err(error);
  if (typeof serialized !== 'object' || serialized === null) return serialized;
  return Object.fromEntries(Object.entries(serialized).filter(([name]) => name !== 'client'));
}
