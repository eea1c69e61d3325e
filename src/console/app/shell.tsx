import { AppShell, Burger, Group, ScrollArea, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { AccountMenu } from './account-menu.js';
import { ColourScheme } from './colour-scheme.js';
import { Degraded, useRecovery } from '../display/degraded/degraded.js';
import { Navigation } from './navigation.js';
import { Search } from '../search/search.js';
import { TimeBar } from './time/time-bar.js';
import { TimeControl } from './time/time-control.js';
import { ViewsMenu } from './views-menu.js';

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
            <ViewsMenu />
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
        <Following />
        <Degraded />
        <TimeBar />
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

/** Shows nothing, so that what it follows draws nothing of the frame again. */
function Following() {
  useRecovery();
  useFocusOnPage();
  return null;
}

/** The keyboard goes on at the beginning of a page that a link has led to. A page that was loaded begins at the frame. */
function useFocusOnPage(): void {
  const pathname = useLocation({ select: (location) => location.pathname });
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [pathname]);
}
