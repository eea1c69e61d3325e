import { api, type Answer } from './client.js';
import { every, useMoments } from './moment.js';

export type Change = Answer<'ChangeItem'>;

/** No event tells of changes, so a page asks again. */
const AGAIN_MS = 30_000;

interface ChangesAsked {
  readonly since: string;
  readonly limit: number;
  readonly kinds?: readonly Change['kind'][];
  readonly client?: number;
  readonly resource?: string;
}

/** Lines of what changed since a moment until the one that is shown, the newest first, page after page. */
export function useChanges({ kinds, ...asked }: ChangesAsked, enabled = true) {
  const { at: until } = useMoments();
  return api.useInfiniteQuery(
    'get',
    '/v1/changes',
    { params: { query: { ...asked, kind: kinds?.join(','), until } } },
    {
      pageParamName: 'cursor',
      initialPageParam: null,
      getNextPageParam: ({ next }) => next,
      select: ({ pages }) => ({
        lines: pages.flatMap(({ items }) => items),
        incomplete: pages.some(({ incomplete }) => incomplete === true),
      }),
      refetchInterval: every(AGAIN_MS),
      enabled,
    },
  );
}

/** Ways in which the later of two moments differs from the earlier one, and the kinds of lines that tell so. */
export const DIFFERENCES = {
  new: [
    'connection-appeared',
    'connection-returned',
    'unrecorded-appeared',
    'grants-appeared',
    'agents-appeared',
    'users-appeared',
  ],
  gone: ['connection-vanished'],
  grown: ['grants-grew', 'connection-changed', 'scopes-granted', 'scopes-used'],
} as const satisfies Readonly<Record<string, readonly Change['kind'][]>>;
export type Difference = keyof typeof DIFFERENCES;

/**
 * Lines of what is new, gone or grown between the two moments of the URL. Nothing is asked while the URL names no earlier moment. A connection that came
 * and went between them is both new and gone.
 */
export function useDifference(difference: Difference, asked: Omit<ChangesAsked, 'since' | 'kinds'>) {
  const { against } = useMoments();
  return useChanges({ ...asked, kinds: DIFFERENCES[difference], since: against ?? '1d' }, against !== undefined);
}
