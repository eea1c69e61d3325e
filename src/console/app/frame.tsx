import { Outlet, useLocation } from '@tanstack/react-router';
import { Shell } from './shell.js';

/** People who have not signed in see the page that lets them in, and nothing around it that would ask the API. */
export function Frame() {
  const { pathname } = useLocation();
  return pathname === '/welcome' ? <Outlet /> : <Shell />;
}
