import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { api } from '../../api/client.js';
import { useMoment } from '../../api/moment.js';
import type { MapSearch } from './search.js';

/** Asks for all connections now and at the moment that is shown. While the next moment is on its way, the one before stays. */
export function useMatrix(since: string | undefined) {
  const moment = useMoment();
  const now = api.useQuery('get', '/v1/matrix', { params: { query: { used_since: since } } });
  const shown = api.useQuery(
    'get',
    '/v1/matrix',
    { params: { query: { ...moment, used_since: since } } },
    { placeholderData: keepPreviousData },
  );
  return { now, shown };
}

/** Asks for the graph around an entity, or for that of all with their users counted, on clients or by team. */
export function useGraph({ focus, steps, teams }: MapSearch) {
  const moment = useMoment();
  const fold = teams === true ? ('teams' as const) : ('users' as const);
  const about = focus === undefined ? { fold } : { expand: focus, depth: steps ?? 1 };
  return api.useQuery(
    'get',
    '/v1/graph',
    { params: { query: { ...moment, ...about } } },
    { placeholderData: keepPreviousData },
  );
}

/** Asks for the users of clients, a question each. */
export function useUsersOf(clients: readonly number[]) {
  const moment = useMoment();
  return useQueries({
    queries: clients.map((client) =>
      api.queryOptions(
        'get',
        '/v1/graph',
        { params: { query: { ...moment, expand: client } } },
        { placeholderData: keepPreviousData },
      ),
    ),
    combine: (answers) =>
      new Map(
        clients.flatMap((client, nth) => (answers[nth]!.data === undefined ? [] : [[client, answers[nth]!.data]])),
      ),
  });
}
