import { CONNECTION_STATES, OPERATIONS, OUTCOMES } from '../../projections/index.js';

/** What a question can be filtered by. Each is a dimension of rules too, so a name is found by its key. */
export type FilterKind = 'user' | 'client' | 'agent' | 'resource';

const invert = <N extends string>(codes: Readonly<Record<N, number>>): ReadonlyMap<number, N> =>
  new Map((Object.entries(codes) as [N, number][]).map(([name, code]) => [code, name]));

const operations = invert(OPERATIONS);
const outcomes = invert(OUTCOMES);
const connectionStates = invert(CONNECTION_STATES);

export const operationOf = (code: number) => operations.get(code)!;
export const outcomeOf = (code: number) => outcomes.get(code)!;
export const connectionStateOf = (code: number) => connectionStates.get(code)!;
