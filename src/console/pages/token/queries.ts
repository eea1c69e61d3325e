import { api, type Answer } from '../../api/client.js';
import { useMoment } from '../../api/moment.js';

export type Token = Answer<'TokenAnswer'>;

export const useToken = (id: string) =>
  api.useQuery('get', '/v1/tokens/{id}', { params: { path: { id }, query: useMoment() } });
