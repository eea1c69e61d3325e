import { createRootRoute, redirect, retainSearchParams } from '@tanstack/react-router';
import { fixMoments, readMomentSearch } from './api/moment.js';
import { Frame } from './app/frame.js';
import { NoPage } from './app/no-page.js';
import { Failed } from './display/states.js';

/** The parent of each page's route. The moment that is shown stays in the URL when a link leads to another page. */
export const rootRoute = createRootRoute({
  component: Frame,
  notFoundComponent: NoPage,
  errorComponent: Failed,
  validateSearch: readMomentSearch,
  search: { middlewares: [retainSearchParams(['at', 'against'])] },
  beforeLoad({ search }) {
    const fixed = fixMoments(search, Date.now());
    if (fixed) throw redirect({ to: '.', search: (before) => ({ ...before, ...fixed }), replace: true });
  },
});
