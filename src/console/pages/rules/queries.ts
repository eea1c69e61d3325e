import { api } from '../../api/client.js';
import type { Rule } from '../../api/rules.js';
import type { RulesSearch } from './search.js';

const PAGE_SIZE = 50;

/** Rules that fit the filters, the newest first, page after page. */
export function useRules({ state, effect }: RulesSearch) {
  return api.useInfiniteQuery(
    'get',
    '/v1/revocations',
    { params: { query: { limit: PAGE_SIZE, state: state?.join(','), effect } } },
    {
      pageParamName: 'cursor',
      initialPageParam: null,
      getNextPageParam: ({ next }) => next,
      select: ({ pages }) => pages.flatMap(({ revocations }) => revocations as Rule[]),
    },
  );
}
