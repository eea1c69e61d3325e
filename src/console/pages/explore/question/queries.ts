import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { api, client, type Answer } from '../../../api/client.js';
import { useMoment } from '../../../api/moment.js';
import type { Dimension, Question } from './vocabulary.js';
import { questionOf, rowsSubjectOf } from './question.js';
import type { ExploreSearch } from './search.js';

export type Answered = Answer<'ExploreAnswer'>;
export type Item = Answer<'ExploreItem'>;
export type Group = Answer<'ExploreGroup'>;
export type Row = Answer<'ExploreRow'>;

const ROWS_A_PAGE = 100;

export function useExplore(search: ExploreSearch) {
  return api.useQuery(
    'post',
    '/v1/explore',
    { body: { ...questionOf(search), ...useMoment() } },
    { placeholderData: keepPreviousData },
  );
}

/** Uses behind a group, the newest first, page after page. All pages are about the moment of the first. */
export function useRows(search: ExploreSearch) {
  const body = { ...rowsSubjectOf(search), ...useMoment(), format: 'json', limit: ROWS_A_PAGE } as const;
  return useInfiniteQuery({
    queryKey: ['post', '/v1/explore/rows', body],
    queryFn: async ({ pageParam: cursor, signal }) => {
      const { data, error } = await client.POST('/v1/explore/rows', {
        body: cursor === undefined ? body : { ...body, cursor },
        signal,
      });
      if (data === undefined) throw error;
      return data;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
  });
}

const NAMES_SUGGESTED = 8;
/** Dimensions whose names the search knows. */
const SEARCHED: readonly Dimension[] = ['user', 'client', 'agent', 'agent_type', 'resource', 'route', 'source'];

/** Names that begin with or hold the text, for a filter on the dimension. */
export function useNames(dimension: Dimension, q: string) {
  return api.useQuery(
    'get',
    '/v1/search',
    { params: { query: { q, limit: NAMES_SUGGESTED } } },
    { enabled: q.length > 1 && SEARCHED.includes(dimension), placeholderData: keepPreviousData, retry: false },
  );
}

/** An entity by its id, for its name. */
export function useEntity(id: number) {
  return api.useQuery('get', '/v1/entities/{id}', { params: { path: { id } } }, { staleTime: 300_000 });
}

type Moment = ReturnType<typeof useMoment>;

/** All groups of a question as CSV, not only those that are shown. Rejects with the API's problem. */
export async function askGroupsFile(search: ExploreSearch, moment: Moment): Promise<Blob> {
  const { limit: _limit, ...question } = questionOf(search);
  const body = { ...question, ...moment, format: 'csv' } as Question;
  return fileOf(await client.POST('/v1/explore', { body, parseAs: 'blob' }));
}

/** All uses behind a group as CSV. Rejects with the API's problem. */
export async function askRowsFile(search: ExploreSearch, moment: Moment): Promise<Blob> {
  const body = { ...rowsSubjectOf(search), ...moment, format: 'csv' } as Answer<'ExploreRowsQuestion'>;
  return fileOf(await client.POST('/v1/explore/rows', { body, parseAs: 'blob' }));
}

function fileOf({ data, error }: { readonly data?: Blob; readonly error?: unknown }): Blob {
  if (data === undefined) throw error;
  return data;
}
