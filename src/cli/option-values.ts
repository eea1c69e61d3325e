import { readFile } from 'node:fs/promises';
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

/** Reads epoch seconds or an RFC 3339 time, and returns epoch seconds. */
export function readSeconds(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{9,11}$/.test(text)) return Number(text);
  const milliseconds = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds))
    throw new UsageError(`${name} must be a time such as 2026-11-24T08:00:00Z, or epoch seconds`);
  return Math.floor(milliseconds / 1000);
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
