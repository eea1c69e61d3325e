import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '../../root.js';

export const viewsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/views',
  component: lazyRouteComponent(() => import('./page.js'), 'ViewsPage'),
});
