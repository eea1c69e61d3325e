import { Button, Group, Stack, Tabs, Text } from '@mantine/core';
import { useState } from 'react';
import { countText } from '../../display/numbers.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { ChannelForm } from './channel-form.js';
import { Deliveries } from './deliveries.js';
import { KIND_WORDS } from './inputs.js';
import { useRemoveChannel, type Channel } from './queries.js';
import { RotateSecret } from './rotate-secret.js';
import { TryChannel } from './try-channel.js';

interface OpenChannelProps {
  readonly channel: Channel;
  readonly onSecret: (secret: string | undefined) => void;
  readonly onRemoved: () => void;
}

/** One channel: tried with a click, its deliveries, its setting, its secret. */
export function OpenChannel({ channel, onSecret, onRemoved }: OpenChannelProps) {
  const { name, waiting, dead, updated_at, updated_by } = channel;
  return (
    <Stack gap="md">
      <TryChannel name={name} />
      <Tabs defaultValue="deliveries" keepMounted={false}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="deliveries">
            Deliveries
            {waiting + dead > 0 && (
              <Text span size="xs" c="dimmed">
                {' '}
                {countText(waiting)} waiting, {countText(dead)} dead
              </Text>
            )}
          </Tabs.Tab>
          <Tabs.Tab value="setting">Setting</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="deliveries">
          <Deliveries name={name} dead={dead} />
        </Tabs.Panel>
        <Tabs.Panel value="setting">
          <Stack gap="md">
            <ChannelForm channel={channel} onSaved={({ secret }) => onSecret(secret)} />
            {KIND_WORDS[channel.kind].signs && <RotateSecret channel={channel} onSecret={onSecret} />}
            <Remove name={name} onRemoved={onRemoved} />
            <Text size="xs" c="dimmed">
              Changed <Moment at={updated_at} /> by <Name>{updated_by}</Name>
            </Text>
          </Stack>
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function Remove({ name, onRemoved }: { readonly name: string; readonly onRemoved: () => void }) {
  const [isSure, setIsSure] = useState(false);
  const { mutate, isPending } = useRemoveChannel();
  if (!isSure)
    return (
      <Group>
        <Button variant="subtle" color="red" onClick={() => setIsSure(true)}>
          Remove the channel…
        </Button>
      </Group>
    );
  return (
    <Group gap="xs" role="group" aria-label="Remove the channel">
      <Text size="sm">Its deliveries go too.</Text>
      <Button
        color="red"
        loading={isPending}
        onClick={() => mutate({ params: { path: { name } } }, { onSuccess: onRemoved })}
      >
        Remove
      </Button>
      <Button variant="default" onClick={() => setIsSure(false)}>
        Keep
      </Button>
    </Group>
  );
}
