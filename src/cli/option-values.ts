import { readFile } from 'node:fs/promises';
import { readTime, RescindError, timeText } from '../contracts/index.js';
import type { KeyType, VerifierKey } from '../merkle/index.js';
import { UsageError, readAll, type Terminal } from './terminal.js';

/** Gathers an option that may be given several times. */
export const collect = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
];

/**
 * Reads members of a selector, such as `iss=https://idp.example,sub=alice`. A value may contain a comma unless a name and `=` follow the
 * comma.
 */
export function readMembers(text: string): Readonly<Record<string, string>> {
  const members: Record<string, string> = {};
  for (const part of text.split(/,(?=[a-z0-9_]+=)/)) {
    const equals = part.indexOf('=');
    if (equals < 1) throw new UsageError(`expected name=value,…, such as iss=https://idp.example,sub=alice: ${text}`);
    members[part.slice(0, equals)] = part.slice(equals + 1);
  }
  return members;
}

/** Reads a time in any form that the API takes, and returns epoch seconds. A duration counts from now, in `direction`. */
export function readSeconds(
  name: string,
  text: string | undefined,
  direction: 'before' | 'after' = 'before',
): number | undefined {
  try {
    return readTime(name, text, Math.floor(Date.now() / 1000), direction);
  } catch (error) {
    throw error instanceof RescindError ? new UsageError(error.message.replaceAll('`', '')) : error;
  }
}

/** Reads a time and returns it as RFC 3339, so that a duration means one moment in whatever is sent and shown. */
export function readMoment(name: string, text: string | undefined, direction?: 'before' | 'after'): string | undefined {
  const seconds = readSeconds(name, text, direction);
  return seconds === undefined ? undefined : timeText(seconds);
}

export function readJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${name} is not JSON`);
  }
}

/** Reads a file as text; `-` is the standard input. */
export async function readInput(path: string, terminal: Terminal): Promise<string> {
  if (path === '-') return readAll(terminal.stdin);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** Leaves out members that are undefined. */
export const present = (members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** Makes a reader of verifier keys for an option, from `parseVerifierKey`, which only some commands load. */
export const keyReader =
  (parse: (text: string) => VerifierKey | undefined) =>
  (option: string, text: string, type: KeyType): VerifierKey => {
    const key = parse(text);
    if (key?.type === type) return key;
    const owner = type === 'ed25519' ? 'a log' : 'a witness';
    throw new UsageError(`${option} takes the Ed25519 verifier key of ${owner}, <name>+<id>+<base64>`);
  };
