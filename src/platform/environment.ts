/** What the process was given. Nothing but `readConfig` looks at it. */
export type Environment = Readonly<Record<string, string | undefined>>;
export type Refuse = (variable: string, problem: string) => void;

export function readInteger(env: Environment, variable: string, bounds: { min: number; max: number; default: number }, refuse: Refuse): number {
  const value = env[variable];
  if (value === undefined) return bounds.default;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= bounds.min && number <= bounds.max)) refuse(variable, `must be a whole number from ${bounds.min} to ${bounds.max}`);
  return number;
}

export function readOneOf<T extends string>(env: Environment, variable: string, allowed: readonly T[], otherwise: T, refuse: Refuse): T {
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
