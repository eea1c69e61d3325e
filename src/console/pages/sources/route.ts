import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '../../root.js';

export const sourcesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sources',
  component: lazyRouteComponent(() => import('./page.js'), 'SourcesPage'),
});

export const sourceRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sources/$id',
  component: lazyRouteComponent(() => import('./source.js'), 'SourcePage'),
});
