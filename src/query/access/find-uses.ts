import type { Parameters } from '../ask/parameters.js';
import type { AccessItem, AccessPage } from './answers.js';

/** A page of uses, newest first. `next` is the cursor of the next one: `index.at.first_at.ix`. */
export interface FoundUses {
  readonly as_of: AccessPage['as_of'];
  readonly items: readonly AccessItem[];
  readonly next?: string;
}

interface Asker {
  readonly tenant: string;
  readonly id: string;
}

/** Finds uses by filters that no index serves. `explore` does. */
export interface FindUses {
  /** Takes the body of `POST /v1/explore/rows`. */
  find(asker: Asker, body: object): Promise<FoundUses>;
  /** Takes the body of `POST /v1/explore`, and returns all groups. */
  sum(asker: Asker, body: object): Promise<readonly SummedUses[]>;
}

export interface SummedUses {
  readonly group: Readonly<Record<string, unknown>>;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Questions of this room wait for their turns in `explore` together. */
export const askerOf = (tenant: string): Asker => ({ tenant, id: 'v1/access' });

const INDEXED = ['token', 'user', 'user_iss', 'client', 'client_iss', 'agent', 'agent_iss', 'resource'];
/** Filters without an index, and the dimension of `explore` that means the same. */
const FOUND_BY = {
  agent_type: 'agent_type',
  operation: 'operation',
  outcome: 'outcome',
  route: 'route',
  scope: 'scope',
  client_address: 'address',
} as const;

/** Returns the filter that `explore` is asked with, or undefined if the question has an index or needs none. */
export function filterWithoutIndex(parameters: Parameters): object | undefined {
  if (INDEXED.some((name) => parameters.has(name))) return undefined;
  const filter = filterOf(parameters, {});
  return Object.keys(filter).length === 0 ? undefined : filter;
}

/** Returns the filter that `explore` is asked with. `ids`: the entities that the other filters name. */
export function filterOf(
  parameters: Parameters,
  ids: { readonly [dimension in 'user' | 'client' | 'agent' | 'resource']?: readonly number[] | undefined },
): object {
  const named = Object.entries(ids).flatMap(([dimension, some]) =>
    some === undefined ? [] : [[dimension, { in: some }] as const],
  );
  const others = Object.entries(FOUND_BY).flatMap(([name, dimension]) =>
    parameters.has(name) ? [[dimension, { equals: parameters.get(name) }] as const] : [],
  );
  return Object.fromEntries([...named, ...others]);
}
