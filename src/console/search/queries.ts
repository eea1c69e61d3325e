import { keepPreviousData } from '@tanstack/react-query';
import { api, type Answer } from '../api/client.js';
import { useMoment } from '../api/moment.js';
import type { Asked } from './pasted.js';

export type Found = Answer<'SearchItem'>;

const AT_MOST = 20;

/** Asks the service for what was typed; nothing is asked until there is something to ask. */
export function useFound(asked: Asked | undefined) {
  return api.useQuery(
    'get',
    '/v1/search',
    { params: { query: { limit: AT_MOST, ...parametersOf(asked), ...useMoment() } } },
    { enabled: asked !== undefined && asked.by !== 'nothing', placeholderData: keepPreviousData },
  );
}

function parametersOf(asked: Asked | undefined): { iss?: string; jti?: string; q?: string } {
  switch (asked?.by) {
    case 'identity':
      return { iss: asked.iss, jti: asked.jti };
    case 'text':
    case 'digest':
      return { q: asked.q };
    default:
      return {};
  }
}
