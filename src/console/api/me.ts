import { api, type Answer } from './client.js';

export type Me = Answer<'Me'>;

/** Asks who is signed in, and what they may do. */
export const useMe = () => api.useQuery('get', '/v1/me');
