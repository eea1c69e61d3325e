import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '../../root.js';
import { readEntitySearch, readListSearch } from './search.js';

const list = <const Path extends string>(
  path: Path,
  page: 'UsersPage' | 'ClientsPage' | 'AgentsPage' | 'ResourcesPage',
) =>
  createRoute({
    getParentRoute: () => rootRoute,
    path,
    validateSearch: readListSearch,
    component: lazyRouteComponent(() => import('./list-page.js'), page),
  });
const entity = <const Path extends string>(
  path: Path,
  page: 'UserPage' | 'ClientPage' | 'AgentPage' | 'ResourcePage',
) =>
  createRoute({
    getParentRoute: () => rootRoute,
    path,
    validateSearch: readEntitySearch,
    component: lazyRouteComponent(() => import('./entity-page.js'), page),
  });

/** The list of each kind, and the page of an entity of each. */
export const entityRoutes = [
  list('/users', 'UsersPage'),
  list('/clients', 'ClientsPage'),
  list('/agents', 'AgentsPage'),
  list('/resources', 'ResourcesPage'),
  entity('/users/$entity', 'UserPage'),
  entity('/clients/$entity', 'ClientPage'),
  entity('/agents/$entity', 'AgentPage'),
  entity('/resources/$entity', 'ResourcePage'),
] as const;
