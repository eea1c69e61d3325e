import { api, type Answer } from '../../api/client.js';
import type { FindingsSearch } from './search.js';

export type Finding = Answer<'FindingItem'>;

const PAGE_SIZE = 50;

/** Findings that fit the filters, the newest evidence first, page after page. */
export function useFindings({ state, severity, kind }: FindingsSearch) {
  return api.useInfiniteQuery(
    'get',
    '/v1/findings',
    { params: { query: { limit: PAGE_SIZE, state: state?.join(','), severity, kind: kind?.join(',') } } },
    {
      pageParamName: 'cursor',
      initialPageParam: null,
      getNextPageParam: ({ next }) => next,
      select: ({ pages }) => pages.flatMap(({ items }) => items),
    },
  );
}

export function useFinding(id: string) {
  return api.useQuery('get', '/v1/findings/{id}', { params: { path: { id } } });
}
