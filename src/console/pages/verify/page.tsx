import { Anchor, Button, Code, FileButton, Group, Paper, Stack, Text, Textarea, Title } from '@mantine/core';
import { useState, type DragEvent, type ReactNode } from 'react';
import { countText } from '../../display/numbers.js';
import { Name } from '../../display/name.js';
import { Result } from './result.js';
import { useVerification } from './use-verification.js';
import { readKeys, type ReadKeys } from './verify.js';

/**
 * Checks an evidence file with the code of `rescind verify`. It asks the service nothing, and stands without the frame, which would; so it works
 * without a network and for people who may not sign in.
 */
export function VerifyPage() {
  const [file, setFile] = useState<File>();
  const [keyText, setKeyText] = useState('');
  const [witnessText, setWitnessText] = useState('');
  const { verification, start, clear } = useVerification();
  const log = readKeys(keyText, 'ed25519');
  const witnesses = readKeys(witnessText, 'cosignature');
  const isReady = file !== undefined && log.keys.length > 0 && !log.wrong && !witnesses.wrong;
  const give = (given: File | null | undefined): void => {
    clear();
    if (given) setFile(given);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    give(event.dataTransfer.files[0]);
  };
  return (
    <Stack
      component="main"
      id="main"
      gap="md"
      maw={820}
      mx="auto"
      p={{ base: 'sm', sm: 'xl' }}
      mih="100dvh"
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
    >
      <Heading />
      <Paper
        withBorder
        p="md"
        component="form"
        aria-label="Evidence to check"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) void start(file, log.keys, witnesses.keys);
        }}
      >
        <Stack gap="md">
          <ChosenFile file={file} onChoose={give} />
          <Keys
            label="Verifier key of the log"
            description="From somebody you trust, not from whoever gave you the file. Several for a log that changed its key."
            value={keyText}
            read={log}
            owner="a log"
            onChange={(text) => {
              clear();
              setKeyText(text);
            }}
          />
          <Keys
            label="Witnesses that must have cosigned"
            description="Their verifier keys. Without any, no cosignature is checked."
            value={witnessText}
            read={witnesses}
            owner="a witness"
            onChange={(text) => {
              clear();
              setWitnessText(text);
            }}
          />
          <Button type="submit" size="sm" disabled={!isReady} style={{ alignSelf: 'flex-start' }}>
            Check it
          </Button>
        </Stack>
      </Paper>
      {verification && <Result of={verification} />}
    </Stack>
  );
}

function Heading() {
  return (
    <div>
      <Group justify="space-between" align="baseline">
        <Title order={1}>Check evidence</Title>
        <Anchor href="/console/ledger" size="sm">
          To the ledger
        </Anchor>
      </Group>
      <Text size="sm" c="dimmed">
        This page checks that a ledger holds an entry, with the public key of the ledger alone. It sends nothing: once
        it is open, you can take the network away. <Code>rescind verify</Code> makes the same checks.
      </Text>
    </div>
  );
}

function ChosenFile({
  file,
  onChoose,
}: {
  readonly file: File | undefined;
  readonly onChoose: (file: File | null) => void;
}) {
  return (
    <Group gap="sm" role="group" aria-label="Evidence file">
      <FileButton
        onChange={onChoose}
        accept=".json,.jsonl,.ndjson,application/json"
        inputProps={{ 'aria-label': 'Evidence file' }}
      >
        {(props) => (
          <Button {...props} variant="default" size="sm">
            Choose a file
          </Button>
        )}
      </FileButton>
      <Text size="sm" c={file ? undefined : 'dimmed'} component="div">
        {file ? (
          <>
            <Name>{file.name}</Name>, {countText(file.size)} bytes
          </>
        ) : (
          'or drop it here: one evidence file, or an archive with one a line'
        )}
      </Text>
    </Group>
  );
}

interface KeysProps {
  readonly label: string;
  readonly description: string;
  readonly value: string;
  readonly read: ReadKeys;
  readonly owner: string;
  readonly onChange: (text: string) => void;
}

function Keys({ label, description, value, read, owner, onChange }: KeysProps) {
  const problem: ReactNode = read.wrong && (
    <>
      <Name>{read.wrong}</Name> is not the Ed25519 verifier key of {owner}, {'<name>+<id>+<base64>'}
    </>
  );
  return (
    <Textarea
      label={label}
      description={description}
      value={value}
      error={problem}
      onChange={(event) => onChange(event.currentTarget.value)}
      autosize
      minRows={1}
      maxRows={6}
      spellCheck={false}
      autoComplete="off"
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
    />
  );
}
