import { ERROR_CODES, isErrorCode } from '../contracts/index.js';
import { RequestFailed } from './client.js';
import { UsageError } from './terminal.js';

/** Exit codes of every command. They are part of the interface: scripts tell them apart. A spec compares README.md with this table. */
export const EXIT = {
  done: [0, 'done'],
  failed: [1, 'refused, failed, or declined when asked'],
  misused: [2, 'wrongly called'],
  neverNamed: [3, 'the order is in force, but no event has ever named what it names (perhaps misspelt)'],
  notConfirmed: [4, 'the order is stored, but not confirmed everywhere yet; repeat it to wait again'],
  notAllowed: [5, 'the key is unknown, or its caller may not do this'],
  notFound: [6, 'the service knows nothing of this name or id, or the caller may not see it'],
  interrupted: [130, 'interrupted'],
  unread: [141, 'nobody reads the output any more'],
} as const satisfies Readonly<Record<string, readonly [code: number, meaning: string]>>;

/** Formats the table for the help, one line a code. */
export const exitCodesText = (): string =>
  Object.values(EXIT)
    .map(([code, meaning]) => `  ${String(code).padEnd(3)}  ${meaning}\n`)
    .join('');

/** Chooses the exit code of a command that failed. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.misused[0];
  if (!(error instanceof RequestFailed)) return EXIT.failed[0];
  if (error.code === 'not-confirmed') return EXIT.notConfirmed[0];
  const kind = isErrorCode(error.code) ? ERROR_CODES[error.code].kind : undefined;
  if (kind === 'unauthenticated' || kind === 'forbidden') return EXIT.notAllowed[0];
  return kind === 'not-found' ? EXIT.notFound[0] : EXIT.failed[0];
}
