import { AppShell, Burger, Group, ScrollArea, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Outlet } from '@tanstack/react-router';
import { AccountMenu } from './account-menu.js';
import { ColourScheme } from './colour-scheme.js';
import { Degraded } from './degraded.js';
import { Navigation } from './navigation.js';
import { Search } from '../search/search.js';
import { TimeBar } from './time/time-bar.js';
import { TimeControl } from './time/time-control.js';

const HEADER_PX = 48;

/** The frame of every page. */
export function Shell() {
  const [isOpen, { toggle, close }] = useDisclosure(false);
  return (
    <AppShell
      header={{ height: HEADER_PX }}
      navbar={{ width: 176, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding={{ base: 'xs', sm: 'md' }}
    >
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px={{ base: 'xs', sm: 'md' }} gap="xs" wrap="nowrap">
          <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Places" />
          <Text fw={700} mr={{ base: 0, sm: 'lg' }}>
            Rescind
          </Text>
          <Search />
          <Group ml="auto" gap={4} wrap="nowrap">
            <TimeControl />
            <ColourScheme />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p={6} aria-label="Places">
        <AppShell.Section grow component={ScrollArea}>
          <Navigation onChosen={close} />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <Degraded />
        <TimeBar />
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
