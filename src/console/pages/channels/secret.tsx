import { Alert, Button, Code, CopyButton, Group, Stack, Text } from '@mantine/core';

/** A secret that is shown this once. It is in no question's answer, so it is gone with the page. */
export function Secret({ secret, onRead }: { readonly secret: string; readonly onRead: () => void }) {
  return (
    <Alert color="yellow" role="status" title="The secret that signs messages" mb="md">
      <Stack gap="xs">
        <Text size="sm">Give it to the receiver now: it is not shown again.</Text>
        <Code block tabIndex={0}>
          {secret}
        </Code>
        <Group gap="xs">
          <CopyButton value={secret}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
          <Button variant="default" onClick={onRead}>
            I have it
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
