import { ActionIcon, Avatar, Menu } from '@mantine/core';

/** The account's menu. Who is signed in, and how to sign out, goes here. */
export function AccountMenu() {
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon aria-label="Account" radius="xl" size="lg">
          <Avatar size={26} radius="xl" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href="/openapi.json">
          The API
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
