import type { Selector } from '../../contracts/index.js';
import { api, type Answer } from './client.js';
import { problemOf } from './problem.js';

export type { Selector };
export type Rule = Omit<Answer<'Rule'>, 'selector'> & { readonly selector: Selector };
export type Author = Rule['author'];
export type Incident = Answer<'IncidentReport'>;

/** A rule that is on its way into force, or has just left it, is asked about again after this time. */
const SOON_MS = 1_000;
/** What was refused since is asked again after this time. */
const LATER_MS = 10_000;

export function useRule(id: string) {
  const { data, ...rest } = api.useQuery(
    'get',
    '/v1/revocations/{id}',
    { params: { path: { id } } },
    {
      refetchInterval: ({ state }) => (state.data !== undefined && isSettled(state.data as Rule) ? LATER_MS : SOON_MS),
    },
  );
  return { ...rest, data: data as Rule | undefined };
}

const isSettled = ({ state, in_force, lift }: Rule): boolean =>
  state === 'lifted' ? lift?.in_force === true : in_force;

/** Who confirmed the rule, and what was refused since. The ledger has a rule a moment after it was stored: until then it is `not-found`. */
export function useIncident(rule: string) {
  return api.useQuery(
    'get',
    '/v1/reports/incident',
    { params: { query: { rule } } },
    {
      refetchInterval: ({ state }) => (state.data === undefined ? SOON_MS : LATER_MS),
      retry: (failures, error) => failures < 2 && problemOf(error).code !== 'not-found',
    },
  );
}
