import { api, type Answer } from './client.js';
import { useMoment } from './moment.js';

export type Token = Answer<'TokenAnswer'>;

/** Reads a token with its lineage and with what came from it, at the moment that is shown. */
export const useToken = (id: string) =>
  api.useQuery('get', '/v1/tokens/{id}', { params: { path: { id }, query: useMoment() } });
