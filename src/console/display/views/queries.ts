import { useQueryClient } from '@tanstack/react-query';
import { api, type Answer } from '../../api/client.js';

export type View = Answer<'View'>;
export type ViewInput = Answer<'ViewInput'>;

const LIST = '/v1/views';

/** Views of one's own, and those that others share. */
export const useViews = () => api.useQuery('get', LIST);

/** Asks for the list again when a view was changed. */
function useRenewal(): { readonly onSuccess: () => Promise<void> } {
  const queries = useQueryClient();
  return { onSuccess: () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === LIST }) };
}

export const useSaveView = () => api.useMutation('post', LIST, useRenewal());
export const useChangeView = () => api.useMutation('put', '/v1/views/{id}', useRenewal());
export const useRemoveView = () => api.useMutation('delete', '/v1/views/{id}', useRenewal());

const BASE = '/console';

/** The page that is open, as a view keeps it. */
export function viewOfThisPage(): Pick<View, 'page' | 'search'> {
  const { pathname, search } = window.location;
  return { page: pathname.slice(BASE.length) || '/', search: search.slice(1) };
}

/** Address of a view. */
export const hrefOf = ({ page, search }: Pick<View, 'page' | 'search'>): string =>
  `${BASE}${page}${search === '' ? '' : `?${search}`}`;

/** A person is named by issuer and subject: people know the subject. */
export const ownerText = ({ owner }: Pick<View, 'owner'>): string =>
  owner.startsWith('person:') ? owner.slice(owner.indexOf('#') + 1) : owner;
