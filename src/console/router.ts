import { createRoute, createRouter, redirect } from '@tanstack/react-router';
import { Failed, Loading } from './display/states.js';
import { entityRoutes } from './pages/entities/route.js';
import { findingsRoute } from './pages/findings/route.js';
import { sourceRoute, sourcesRoute } from './pages/sources/route.js';
import { tokenRoute } from './pages/token/route.js';
import { welcomeRoute } from './pages/welcome/route.js';
import { rootRoute } from './root.js';

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/findings', replace: true });
  },
});

/** The list of pages. */
const routeTree = rootRoute.addChildren([
  homeRoute,
  ...entityRoutes,
  findingsRoute,
  sourcesRoute,
  sourceRoute,
  tokenRoute,
  welcomeRoute,
]);

export function createConsoleRouter() {
  return createRouter({
    routeTree,
    basepath: '/console',
    defaultPendingComponent: Loading,
    defaultErrorComponent: Failed,
    defaultPreload: 'intent',
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
