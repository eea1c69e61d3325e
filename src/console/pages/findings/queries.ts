import { useQueryClient } from '@tanstack/react-query';
import { api, type Answer } from '../../api/client.js';
import { useMoment } from '../../api/moment.js';
import type { FindingsSearch } from './search.js';

export type Finding = Answer<'FindingItem'>;
export type FindingChange = Pick<Answer<'FindingChange'>, 'state' | 'reason' | 'until' | 'same'>;

const PAGE_SIZE = 50;
const CHANGES_SHOWN = 20;

const pages = {
  pageParamName: 'cursor',
  initialPageParam: null,
  getNextPageParam: ({ next }: { readonly next?: string }) => next,
} as const;

/** Findings that fit the filters, the newest evidence first, page after page. */
export function useFindings({ state, severity, kind }: FindingsSearch) {
  return api.useInfiniteQuery(
    'get',
    '/v1/findings',
    {
      params: { query: { limit: PAGE_SIZE, state: state?.join(','), severity, kind: kind?.join(','), ...useMoment() } },
    },
    { ...pages, select: ({ pages: all }) => all.flatMap(({ items }) => items) },
  );
}

export function useFinding(id: string) {
  return api.useQuery('get', '/v1/findings/{id}', { params: { path: { id }, query: useMoment() } });
}

/** Reads what people said of a finding, the newest first. */
export function useFindingChanges(id: string) {
  return api.useQuery('get', '/v1/findings/{id}/changes', {
    params: { path: { id }, query: { limit: CHANGES_SHOWN } },
  });
}

/** One finding whose change was refused. */
export interface Refused {
  readonly finding: Finding;
  readonly error: unknown;
}

/** Changes findings one after the other. Resolves to those whose change was refused. */
export function useChangeFindings(): (findings: readonly Finding[], change: FindingChange) => Promise<Refused[]> {
  const queries = useQueryClient();
  const { mutateAsync } = api.useMutation('post', '/v1/findings/{id}');
  return async (findings, change) => {
    const refused: Refused[] = [];
    for (const finding of findings) {
      try {
        await mutateAsync({ params: { path: { id: finding.id } }, body: change });
      } catch (error) {
        refused.push({ finding, error });
      }
    }
    await queries.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[1]).startsWith('/v1/findings') });
    return refused;
  };
}
