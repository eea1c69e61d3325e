import { Box, NavLink, Text } from '@mantine/core';
import { Link, useLocation } from '@tanstack/react-router';

interface Place {
  readonly to: string;
  readonly label: string;
}

/** Places of the console, in their order. */
const PLACES: readonly { readonly title: string; readonly places: readonly Place[] }[] = [
  {
    title: 'See',
    places: [
      { to: '/', label: 'Home' },
      { to: '/findings', label: 'Findings' },
      { to: '/map', label: 'Map' },
      { to: '/explore', label: 'Explore' },
      { to: '/ledger', label: 'Ledger' },
    ],
  },
  {
    title: 'Who and what',
    places: [
      { to: '/agents', label: 'Agents' },
      { to: '/clients', label: 'Clients' },
      { to: '/users', label: 'Users' },
      { to: '/resources', label: 'Resources' },
    ],
  },
  {
    title: 'Act',
    places: [
      { to: '/stop', label: 'Stop' },
      { to: '/rules', label: 'Rules' },
    ],
  },
  {
    title: 'Set up',
    places: [
      { to: '/sources', label: 'Sources' },
      { to: '/channels', label: 'Channels' },
    ],
  },
];

export function Navigation({ onChosen }: { readonly onChosen: () => void }) {
  return PLACES.map(({ title, places }) => (
    <Box component="section" key={title} aria-label={title} mb={6}>
      <Text size="xs" c="dimmed" px="sm" pt={4}>
        {title}
      </Text>
      {places.map((place) => (
        <PlaceLink key={place.to} {...place} onChosen={onChosen} />
      ))}
    </Box>
  ));
}

function PlaceLink({ to, label, onChosen }: Place & { readonly onChosen: () => void }) {
  const isHere = useLocation({
    select: ({ pathname }) => (to === '/' ? pathname === '/' : pathname === to || pathname.startsWith(`${to}/`)),
  });
  return (
    <NavLink
      component={Link}
      to={to}
      label={label}
      active={isHere}
      aria-current={isHere ? 'page' : undefined}
      onClick={onChosen}
    />
  );
}
