import { keepPreviousData } from '@tanstack/react-query';
import { api } from '../../api/client.js';
import { useMoment } from '../../api/moment.js';

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
