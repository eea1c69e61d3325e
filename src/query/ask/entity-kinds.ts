import { CONNECTION_STATES, OPERATIONS, OUTCOMES } from '../../projections/index.js';

/**
 * A kind of name that a question can be filtered by. Each kind is a dimension of rules too, so a name is found by its
 * rule key.
 */
export type FilterKind = 'user' | 'client' | 'agent' | 'resource';

const invert = <N extends string>(codes: Readonly<Record<N, number>>): ReadonlyMap<number, N> =>
  new Map((Object.entries(codes) as [N, number][]).map(([name, code]) => [code, name]));

const operations = invert(OPERATIONS);
const outcomes = invert(OUTCOMES);
const connectionStates = invert(CONNECTION_STATES);

export const operationOf = (code: number) => operations.get(code)!;
export const outcomeOf = (code: number) => outcomes.get(code)!;
export const connectionStateOf = (code: number) => connectionStates.get(code)!;
