import { QueryClient } from '@tanstack/react-query';
import { isOfPast } from './moment.js';
import { mayPass, problemOf } from './problem.js';

const FRESH_MS = 15_000;
const RETRIES = 2;
/** A question that got no answer because the service could not give one is asked again after this time. */
const AGAIN_MS = 10_000;

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // A browser that takes itself for offline may reach the service all the same, and a question that waits in silence looks like an answer.
        networkMode: 'always',
        staleTime: (query) => (isOfPast(query) ? Number.POSITIVE_INFINITY : FRESH_MS),
        retry: (failures, error) => failures < RETRIES && mayPass(problemOf(error)),
        refetchInterval: ({ state }) => state.error !== null && mayPass(problemOf(state.error)) && AGAIN_MS,
      },
      // An order that waited for the network would be sent when nobody expects it any more.
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}
