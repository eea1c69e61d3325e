import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '../../root.js';
import { readStopSearch } from './search.js';

export const stopRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/stop',
  validateSearch: readStopSearch,
  component: lazyRouteComponent(() => import('./page.js'), 'StopPage'),
});
