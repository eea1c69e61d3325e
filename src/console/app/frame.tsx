import { Outlet, useLocation } from '@tanstack/react-router';
import { Shell } from './shell.js';

/** People who have not signed in see the page that lets them in, and nothing around it that would ask the API. */
export function Frame() {
  const isWelcome = useLocation({ select: ({ pathname }) => pathname === '/welcome' });
  return isWelcome ? <Outlet /> : <Shell />;
}
