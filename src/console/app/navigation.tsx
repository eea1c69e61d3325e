import { NavLink } from '@mantine/core';
import { Link, useLocation, useRouter } from '@tanstack/react-router';

/** Places of the console, in their order. One without a page yet cannot be chosen. */
const PLACES: readonly { readonly to: string; readonly label: string }[] = [
  { to: '/', label: 'Home' },
  { to: '/findings', label: 'Findings' },
  { to: '/channels', label: 'Channels' },
  { to: '/agents', label: 'Agents' },
  { to: '/clients', label: 'Clients' },
  { to: '/users', label: 'Users' },
  { to: '/resources', label: 'Resources' },
  { to: '/rules', label: 'Rules' },
  { to: '/stop', label: 'Stop' },
  { to: '/map', label: 'Map' },
  { to: '/explore', label: 'Explore' },
  { to: '/sources', label: 'Sources' },
];

export function Navigation({ onChosen }: { readonly onChosen: () => void }) {
  const { routesByPath } = useRouter();
  const { pathname } = useLocation();
  return PLACES.map(({ to, label }) => {
    const isHere = to === '/' ? pathname === '/' : pathname === to || pathname.startsWith(`${to}/`);
    if (!(to in routesByPath))
      return <NavLink key={to} component="button" label={label} disabled aria-disabled tabIndex={-1} />;
    return (
      <NavLink
        key={to}
        component={Link}
        to={to}
        label={label}
        active={isHere}
        aria-current={isHere ? 'page' : undefined}
        onClick={onChosen}
      />
    );
  });
}
