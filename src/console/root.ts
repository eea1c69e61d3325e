import { createRootRoute } from '@tanstack/react-router';
import { NoPage } from './app/no-page.js';
import { Shell } from './app/shell.js';
import { Failed } from './display/states.js';

/** The parent of each page's route. */
export const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NoPage, errorComponent: Failed });
