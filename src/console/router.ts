import { createRouter } from '@tanstack/react-router';
import { Failed, Loading } from './display/states.js';
import { channelsRoute } from './pages/channels/route.js';
import { entityRoutes } from './pages/entities/route.js';
import { entryRoute } from './pages/entry/route.js';
import { exploreRoute } from './pages/explore/route.js';
import { findingsRoute } from './pages/findings/route.js';
import { ledgerRoute } from './pages/ledger/route.js';
import { mapRoute } from './pages/map/route.js';
import { sourceRoute, sourcesRoute } from './pages/sources/route.js';
import { ruleRoute, rulesRoute } from './pages/rules/route.js';
import { stopRoute } from './pages/stop/route.js';
import { homeRoute } from './pages/home/route.js';
import { tokenRoute } from './pages/token/route.js';
import { verifyRoute } from './pages/verify/route.js';
import { viewsRoute } from './pages/views/route.js';
import { welcomeRoute } from './pages/welcome/route.js';
import { rootRoute } from './root.js';

/** The list of pages. */
const routeTree = rootRoute.addChildren([
  homeRoute,
  channelsRoute,
  ...entityRoutes,
  entryRoute,
  exploreRoute,
  findingsRoute,
  ledgerRoute,
  mapRoute,
  sourcesRoute,
  sourceRoute,
  ruleRoute,
  rulesRoute,
  stopRoute,
  tokenRoute,
  verifyRoute,
  viewsRoute,
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
