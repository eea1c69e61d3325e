import { Button, Code, CopyButton, Group } from '@mantine/core';

interface CopiedProps {
  /** Names the text for those who hear it. */
  readonly label: string;
  readonly children: string;
}

/** A text that somebody copies, such as a command or a key, with the button beside it. */
export function Copied({ label, children: text }: CopiedProps) {
  return (
    <Group gap="xs" mt={4} wrap="nowrap" align="flex-start">
      <Code
        block
        tabIndex={0}
        role="region"
        aria-label={label}
        flex={1}
        miw={0}
        style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}
      >
        {text}
      </Code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button variant="default" size="compact-xs" onClick={copy} aria-label={`Copy: ${label}`}>
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
    </Group>
  );
}
