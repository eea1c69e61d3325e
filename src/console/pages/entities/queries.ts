import { api, type Answer } from '../../api/client.js';
import { useMoment } from '../../api/moment.js';
import type { Entity } from '../../display/entity.js';
import { about, type Kind } from './kinds.js';
import { readListSearch, type EntitySearch, type ListSearch } from './search.js';

const PAGE_SIZE = 100;

/** An item of a list, of whatever kind. */
export interface EntityRow {
  readonly entity: Entity;
  readonly users?: number;
  readonly clients?: number;
  readonly agents?: number;
  readonly resources?: number;
  readonly grants: number;
  readonly unused_grants: number;
  readonly last_used: string | null;
  readonly first_seen: { readonly at: string };
  readonly owner: string | null;
  readonly team: string | null;
  readonly tags: readonly string[];
}

const PAGES = {
  pageParamName: 'cursor',
  initialPageParam: null,
  getNextPageParam: ({ next }: { readonly next?: string }) => next,
} as const;
const query = (asked: object) => ({ params: { query: { limit: PAGE_SIZE, ...asked } } });

/** Lists of each kind: a hook each, which asks with these parameters. */
const LISTS = {
  user: (asked: object) =>
    api.useInfiniteQuery('get', '/v1/users', query(asked), {
      ...PAGES,
      select: ({ pages }) =>
        pages.flatMap(({ items }) =>
          items.map((one): EntityRow => ({ ...one, entity: { kind: 'user', is: one.user } })),
        ),
    }),
  client: (asked: object) =>
    api.useInfiniteQuery('get', '/v1/clients', query(asked), {
      ...PAGES,
      select: ({ pages }) =>
        pages.flatMap(({ items }) =>
          items.map((one): EntityRow => ({ ...one, entity: { kind: 'client', is: one.client } })),
        ),
    }),
  agent: (asked: object) =>
    api.useInfiniteQuery('get', '/v1/agents', query(asked), {
      ...PAGES,
      select: ({ pages }) =>
        pages.flatMap(({ items }) =>
          items.map((one): EntityRow => ({ ...one, entity: { kind: 'agent', is: one.agent } })),
        ),
    }),
  resource: (asked: object) =>
    api.useInfiniteQuery('get', '/v1/resources', query(asked), {
      ...PAGES,
      select: ({ pages }) =>
        pages.flatMap(({ items }) =>
          items.map((one): EntityRow => ({ ...one, entity: { kind: 'resource', is: one.resource } })),
        ),
    }),
} as const;

/** The list of a kind, page after page. A component asks for one kind as long as it lives. */
export const useEntities = (kind: Kind, search: ListSearch) =>
  LISTS[kind]({ ...readListSearch({ ...search }), ...useMoment() });

/** The item of a list that stands for one entity at a moment. */
export const useStanding = (kind: Kind, id: string, moment: { readonly as_of?: string }) =>
  LISTS[kind]({ ...about(kind, id), ...moment });

export const useNames = (id: string) =>
  api.useQuery('get', '/v1/entities/{id}', { params: { path: { id: Number(id) }, query: useMoment() } });

export type Grant = Answer<'GrantPage'>['items'][number];
export type Connection = Answer<'ConnectionPage'>['items'][number];

export const useGrants = (kind: Kind, id: string, moment: { readonly as_of?: string }) =>
  api.useInfiniteQuery(
    'get',
    '/v1/grants',
    { params: { query: { limit: PAGE_SIZE, ...about(kind, id), ...moment } } },
    { ...PAGES, select: ({ pages }) => pages.flatMap(({ items }) => items) },
  );

export const useConnections = (kind: 'client' | 'resource', id: string) =>
  api.useInfiniteQuery(
    'get',
    '/v1/connections',
    { params: { query: { limit: PAGE_SIZE, ...about(kind, id), ...useMoment() } } },
    { ...PAGES, select: ({ pages }) => pages.flatMap(({ items }) => items) },
  );

/** Lines of the timeline, the newest first. */
export function useTimeline(kind: Kind, id: string, { from, to, lines }: EntitySearch) {
  return api.useInfiniteQuery(
    'get',
    '/v1/timeline',
    { params: { query: { limit: PAGE_SIZE, from, to, kind: lines, ...about(kind, id), ...useMoment() } } },
    { ...PAGES, select: ({ pages }) => pages.flatMap(({ items }) => items) },
  );
}

export type Line = NonNullable<ReturnType<typeof useTimeline>['data']>[number];

export const useCounts = (kind: Kind, id: string, by: 'hour' | 'day', from: string) =>
  api.useQuery(
    'get',
    '/v1/access/counts',
    { params: { query: { by, from, ...about(kind, id), ...useMoment() } } },
    {
      // The same bars as long as the answer is the same: other ones are drawn again.
      select: ({ items, total }) => ({
        total,
        bars: items.map(({ at, allowed, denied }) => ({ at: Date.parse(at), allowed, denied })),
      }),
    },
  );

export type Reach = Answer<'BlastAnswer'>;

export const useReach = (kind: Kind, id: string) =>
  api.useQuery('get', '/v1/blast-radius', {
    params: { query: { preview: false, ...about(kind, id), ...useMoment() } },
  });
