import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '../../root.js';

export const entryRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/entries/$index',
  component: lazyRouteComponent(() => import('./page.js'), 'EntryPage'),
});
