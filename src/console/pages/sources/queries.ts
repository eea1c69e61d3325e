import { useQueryClient } from '@tanstack/react-query';
import { api, type Answer } from '../../api/client.js';
import { every, useMoment } from '../../api/moment.js';

export type Coverage = Answer<'CoverageAnswer'>;
export type Source = Answer<'CoverageItem'>;
export type Check = Answer<'SourceCheckAnswer'>;
export type Refused = Check['refused'][number];
export type EventType = Answer<'SourceInput'>['types'][number];

/** A page that waits for events asks so often, in milliseconds. */
const LIVE_MS = 2_000;
const CALM_MS = 30_000;

/** Reads what came from each source, and what did not. */
export const useCoverage = () =>
  api.useQuery('get', '/v1/coverage', { params: { query: useMoment() } }, { refetchInterval: every(CALM_MS) });

/** Reads what came from one source last, what was refused, and what to do next; asked again while somebody looks. */
export const useCheck = (id: string) =>
  api.useQuery('get', '/v1/sources/{id}/check', { params: { path: { id } } }, { refetchInterval: LIVE_MS });

/** Takes an event in again that was refused. */
export function useReplay() {
  const queries = useQueryClient();
  return api.useMutation('post', '/v1/quarantine/{id}/replay', { onSettled: () => queries.invalidateQueries() });
}

export const useCreateSource = () => api.useMutation('post', '/v1/sources');
export const useCreateCaller = () => api.useMutation('post', '/v1/callers');
