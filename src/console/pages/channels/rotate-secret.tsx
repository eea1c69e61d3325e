import { Button, Group, Select, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { Moment } from '../../display/moment.js';
import { Failed } from '../../display/states.js';
import { useRotateSecret, type Channel } from './queries.js';

const KEEPS = [
  { value: '86400', label: 'for a day' },
  { value: '3600', label: 'for an hour' },
  { value: '604800', label: 'for a week' },
  { value: '0', label: 'not at all' },
];

interface RotateSecretProps {
  readonly channel: Channel;
  readonly onSecret: (secret: string | undefined) => void;
}

/** Makes another secret, which is shown once. */
export function RotateSecret({ channel: { name, old_secret_until }, onSecret }: RotateSecretProps) {
  const [keep, setKeep] = useState('86400');
  const { mutate, error, isPending } = useRotateSecret();
  const rotate = (): void =>
    mutate(
      { params: { path: { name } }, body: { keep_seconds: Number(keep) } },
      { onSuccess: ({ secret }) => onSecret(secret) },
    );
  return (
    <Stack gap="xs">
      <Group gap="xs" align="flex-end">
        <Select
          label="The old secret goes on signing"
          data={KEEPS}
          value={keep}
          onChange={(value) => value && setKeep(value)}
          allowDeselect={false}
          w={240}
        />
        <Button variant="default" loading={isPending} onClick={rotate}>
          Rotate the secret
        </Button>
      </Group>
      {old_secret_until !== null && (
        <Text size="xs" c="dimmed">
          The secret before signs too until <Moment at={old_secret_until} />.
        </Text>
      )}
      {error !== null && <Failed error={error} />}
    </Stack>
  );
}
