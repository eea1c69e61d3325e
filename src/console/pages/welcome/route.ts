import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '../../root.js';
import { readWelcomeSearch } from './search.js';

export const welcomeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/welcome',
  validateSearch: readWelcomeSearch,
  component: lazyRouteComponent(() => import('./page.js'), 'WelcomePage'),
});
