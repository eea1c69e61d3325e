import { useQueryClient } from '@tanstack/react-query';
import { api, type Answer } from '../../api/client.js';

export type Channel = Answer<'Channel'>;
export type ChannelInput = Answer<'ChannelInput'>;
export type Delivery = Answer<'Delivery'>;
export type DeliveryState = Delivery['state'];

const DELIVERIES_SHOWN = 25;
/** Deliveries change by themselves, and no event tells of them. */
const AGAIN_MS = 10_000;
/** A delivery whose time has come is over in a moment. */
const SOON_MS = 1_000;
const isDue = ({ next_at: at }: Delivery): boolean => at !== null && Date.parse(at) <= Date.now();

export function useChannels() {
  return api.useQuery('get', '/v1/channels', {}, { refetchInterval: AGAIN_MS });
}

/** Deliveries of a channel, the newest first, page after page. */
export function useDeliveries(name: string, state: DeliveryState | undefined) {
  return api.useInfiniteQuery(
    'get',
    '/v1/channels/{name}/deliveries',
    { params: { path: { name }, query: { limit: DELIVERIES_SHOWN, state } } },
    {
      pageParamName: 'cursor',
      initialPageParam: null,
      getNextPageParam: ({ next }) => next,
      select: ({ pages }) => pages.flatMap(({ items }) => items),
      refetchInterval: ({ state: { data } }) =>
        data?.pages.some(({ items }) => items.some(isDue)) === true ? SOON_MS : AGAIN_MS,
    },
  );
}

/** Asks all questions about channels again. */
function useLookAgain(): () => Promise<void> {
  const queries = useQueryClient();
  return () =>
    queries.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[1]).startsWith('/v1/channels') });
}

export function usePutChannel() {
  return api.useMutation('put', '/v1/channels/{name}', { onSuccess: useLookAgain() });
}

export function useRemoveChannel() {
  return api.useMutation('delete', '/v1/channels/{name}', { onSuccess: useLookAgain() });
}

export const useTryChannel = () => api.useMutation('post', '/v1/channels/{name}/try');

export function useRotateSecret() {
  return api.useMutation('post', '/v1/channels/{name}/rotate', { onSuccess: useLookAgain() });
}

export function useReplay() {
  return api.useMutation('post', '/v1/channels/{name}/replay', { onSuccess: useLookAgain() });
}
