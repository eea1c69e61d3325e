import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core';
import { countText } from '../../display/numbers.js';
import { Failed } from '../../display/states.js';
import { Sentence } from '../../display/name.js';
import { useTryChannel } from './queries.js';

/** Sends a test finding, and shows what the receiver answered. */
export function TryChannel({ name }: { readonly name: string }) {
  const { mutate, data, error, isPending } = useTryChannel();
  return (
    <Stack gap="xs">
      <Group gap="sm">
        <Button loading={isPending} onClick={() => mutate({ params: { path: { name } } })}>
          Try it
        </Button>
        <Text size="sm" c="dimmed">
          sends a test finding, once
        </Text>
      </Group>
      {error !== null && <Failed error={error} />}
      {data && (
        <Alert
          color={data.delivered ? 'green' : 'red'}
          role="status"
          title={data.delivered ? 'The receiver took it' : 'The receiver did not take it'}
        >
          <Text size="sm">
            {data.status === null ? (
              <Sentence>{data.problem ?? 'No answer came'}</Sentence>
            ) : (
              `It answered ${data.status}`
            )}{' '}
            after {countText(data.ms)} ms.
          </Text>
          {data.answer !== '' && (
            <Code block mt="xs" mah={160} style={{ overflow: 'auto', whiteSpace: 'pre-wrap' }} tabIndex={0}>
              {data.answer}
            </Code>
          )}
        </Alert>
      )}
    </Stack>
  );
}
