import { Drawer, type DrawerProps } from '@mantine/core';
import { Degraded } from './degraded.js';

/** Shows one thing beside the page that leads to it. It covers the frame, unless it has no overlay, and says then itself what is wrong with the service. */
export function SideDrawer({ children, ...props }: DrawerProps) {
  return (
    <Drawer position="right" closeButtonProps={{ 'aria-label': 'Close' }} {...props}>
      {props.withOverlay !== false && <Degraded />}
      {children}
    </Drawer>
  );
}
