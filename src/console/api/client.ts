import createFetchClient from 'openapi-fetch';
import createClient from 'openapi-react-query';
import type { components, paths } from './schema.js';

/** Hooks for each endpoint of `/v1`, typed by `schema.d.ts`. The session's cookie goes along. */
export const api = createClient(createFetchClient<paths>({ baseUrl: '/', credentials: 'same-origin' }));

export type Answer<Name extends keyof components['schemas']> = components['schemas'][Name];
