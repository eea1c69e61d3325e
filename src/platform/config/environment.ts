import { readFileSync } from 'node:fs';

/** Variables that the process was started with. Only `readConfig` reads them. */
export type Environment = Readonly<Record<string, string | undefined>>;
export type Refuse = (variable: string, problem: string) => void;

export function readInteger(
  env: Environment,
  variable: string,
  bounds: { min: number; max: number; default: number },
  refuse: Refuse,
): number {
  const value = env[variable];
  if (value === undefined) return bounds.default;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= bounds.min && number <= bounds.max))
    refuse(variable, `must be a whole number from ${bounds.min} to ${bounds.max}`);
  return number;
}

export function readOneOf<T extends string>(
  env: Environment,
  variable: string,
  allowed: readonly T[],
  otherwise: T,
  refuse: Refuse,
): T {
  const value = env[variable];
  if (value === undefined) return otherwise;
  const found = allowed.find((name) => name === value);
  if (found === undefined) refuse(variable, `must be one of ${allowed.join(', ')}`);
  return found ?? otherwise;
}

export const readFlag = (env: Environment, variable: string, refuse: Refuse): boolean =>
  readOneOf(env, variable, ['true', 'false'], 'false', refuse) === 'true';

export function splitList(value: string): string[] {
  return value.split(',').map((item) => item.trim());
}

/** Longer than any password, URL or header. A longer file is the wrong file. */
const MAX_SECRET_FILE_BYTES = 64 * 1024;

/**
 * Reads each secret whose `<NAME>_FILE` is set from the file that the variable names, without a newline at the file's end. A secret in a
 * file stays out of `docker inspect`, of process lists and of the environment of child processes. A refusal names neither the path nor
 * the content.
 */
export function readSecretFiles(env: Environment, secrets: readonly string[], refuse: Refuse): Environment {
  const read: Record<string, string> = {};
  for (const variable of secrets) {
    const file = secretFileVariable(variable);
    const path = env[file];
    if (path === undefined || path.trim() === '') continue;
    if (env[variable] !== undefined) {
      refuse(file, `is set, and so is ${variable}: set one of them`);
      continue;
    }
    const content = readSmallFile(path);
    if (typeof content === 'object') refuse(file, content.problem);
    else read[variable] = content;
  }
  return { ...env, ...read };
}

export const secretFileVariable = (variable: string): string => `${variable}_FILE`;

function readSmallFile(path: string): string | { readonly problem: string } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return { problem: 'names a file that cannot be read' };
  }
  if (bytes.length > MAX_SECRET_FILE_BYTES)
    return { problem: `names a file of more than ${MAX_SECRET_FILE_BYTES} bytes` };
  const content = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (content.trim() === '') return { problem: 'names a file that is empty' };
  return /[\r\n\0]/.test(content) ? { problem: 'names a file of more than one line' } : content;
}
