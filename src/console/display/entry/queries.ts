import { api, type Answer } from '../../api/client.js';
import { useMoment } from '../../api/moment.js';

export type Entry = Answer<'EntryAnswer'>;

/** One entry of the ledger. It never changes, but for its payload, which can be erased. */
export function useEntry(index: string) {
  return api.useQuery(
    'get',
    '/v1/entries/{index}',
    { params: { path: { index } } },
    { staleTime: Number.POSITIVE_INFINITY },
  );
}

/** The token that an event names, which says whose it is. */
export function useToken(named: { readonly iss: string; readonly jti: string } | { readonly sha256: string }) {
  return api.useQuery('get', '/v1/tokens', { params: { query: { ...named, ...useMoment() } } });
}
