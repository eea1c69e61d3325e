import { Button, Group, Text, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { useMe } from '../../api/me.js';
import { OfNow } from '../../display/past/of-now.js';
import { SideDrawer } from '../../display/degraded/side-drawer.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { ChannelForm } from './channel-form.js';
import { ChannelTable } from './channel-table.js';
import { OpenChannel } from './open-channel.js';
import { useChannels, type Channel } from './queries.js';
import { Secret } from './secret.js';

const route = getRouteApi('/channels');
const ADMINISTERS = 'Administrators see and change where findings are sent.';

export function ChannelsPage() {
  const navigate = route.useNavigate();
  const { data: me, error, isPending, refetch } = useMe();
  return (
    <>
      <Group justify="space-between" mb="sm">
        <Group gap="xs" align="baseline">
          <Title order={1}>Channels</Title>
          <OfNow />
        </Group>
        {me?.may.administer && <Button onClick={() => navigate({ search: { add: true } })}>Add a channel</Button>}
      </Group>
      {isPending && <Loading />}
      {error !== null && me === undefined && <Failed error={error} reset={() => void refetch()} />}
      {me && (me.may.administer ? <Channels /> : <Empty title="You may not see channels">{ADMINISTERS}</Empty>)}
    </>
  );
}

function Channels() {
  const { data, error, isPending, refetch } = useChannels();
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  return (
    <>
      {data.channels.length === 0 ? (
        <Empty title="No channel">
          A channel sends findings to where people look: a webhook of your own, Slack, Microsoft Teams, PagerDuty, a
          SIEM.
        </Empty>
      ) : (
        <ChannelTable channels={data.channels} />
      )}
      <ChannelDrawer channels={data.channels} />
    </>
  );
}

function ChannelDrawer({ channels }: { readonly channels: readonly Channel[] }) {
  const { channel: name, add } = route.useSearch();
  const navigate = route.useNavigate();
  const [secret, setSecret] = useState<string>();
  const open = channels.find((one) => one.name === name);
  const close = (): void => {
    setSecret(undefined);
    void navigate({ search: {} });
  };
  const saved = (change: { readonly name: string; readonly secret?: string }): void => {
    setSecret(change.secret);
    void navigate({ search: { channel: change.name }, replace: true });
  };
  return (
    <SideDrawer
      opened={add === true || name !== undefined}
      onClose={close}
      size="lg"
      title={add ? 'Add a channel' : `Channel ${open?.name ?? ''}`}
    >
      {secret !== undefined && <Secret secret={secret} onRead={() => setSecret(undefined)} />}
      {add && <ChannelForm onSaved={saved} onCancel={close} />}
      {open && <OpenChannel key={open.name} channel={open} onSecret={setSecret} onRemoved={close} />}
      {!add && name !== undefined && !open && <Text>There is no channel of this name.</Text>}
    </SideDrawer>
  );
}
