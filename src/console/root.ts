import { createRootRoute } from '@tanstack/react-router';
import { Frame } from './app/frame.js';
import { NoPage } from './app/no-page.js';
import { Failed } from './display/states.js';

/** The parent of each page's route. */
export const rootRoute = createRootRoute({ component: Frame, notFoundComponent: NoPage, errorComponent: Failed });
