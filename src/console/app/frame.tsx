import { Outlet, useLocation } from '@tanstack/react-router';
import { Shell } from './shell.js';

/** Pages for people who have not signed in: nothing stands around them that would ask the API. */
const BARE: readonly string[] = ['/welcome', '/verify'];

export function Frame() {
  const isBare = useLocation({ select: ({ pathname }) => BARE.includes(pathname) });
  return isBare ? <Outlet /> : <Shell />;
}
