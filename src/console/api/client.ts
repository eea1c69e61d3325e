import createFetchClient from 'openapi-fetch';
import createClient from 'openapi-react-query';
import type { components, paths } from './schema.js';

/** The header says that the console itself sends what changes something, which no form of another site can. */
const client = createFetchClient<paths>({
  baseUrl: '/',
  credentials: 'same-origin',
  headers: { 'x-rescind-console': '1' },
});

/** Hooks for each endpoint of `/v1`, typed by `schema.d.ts`. The session's cookie goes along. */
export const api = createClient(client);

export type Answer<Name extends keyof components['schemas']> = components['schemas'][Name];
