import { ActionIcon, Avatar, Menu, Text } from '@mantine/core';
import { useMe, type Me } from '../api/me.js';
import { signInUrl, signOut, thisPage } from '../api/sign-in.js';
import { Moment } from '../display/moment.js';
import { Name } from '../display/name.js';

export function AccountMenu() {
  const { data: me } = useMe();
  return (
    <Menu position="bottom-end" withinPortal width={260}>
      <Menu.Target>
        <ActionIcon aria-label="Account" radius="xl" size="lg">
          <Avatar size={26} radius="xl" name={me && nameOf(me)} color="initials" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {me && <Whoever me={me} />}
        <Menu.Divider />
        <Menu.Item component="a" href="/openapi.json">
          The API
        </Menu.Item>
        {me?.person && (
          <>
            <Menu.Item component="a" href={signInUrl({ returnTo: thisPage(), anew: true })}>
              Sign in anew
            </Menu.Item>
            <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

const nameOf = ({ id, person }: Me): string => person?.name ?? person?.sub ?? id;

function Whoever({ me }: { readonly me: Me }) {
  const { person, tenant } = me;
  return (
    <Menu.Label component="div">
      <Text size="sm" fw={600} c="var(--mantine-color-text)">
        <Name>{nameOf(me)}</Name>
      </Text>
      <Text size="xs">
        {person === null ? 'a registered caller' : person.roles.join(', ')} at {tenant}
      </Text>
      {person && (
        <Text size="xs">
          signed in until <Moment at={person.ends_at} />
        </Text>
      )}
    </Menu.Label>
  );
}
