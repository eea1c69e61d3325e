import { Anchor, Button, Group, Paper, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { EvidenceOfRows } from '../../display/evidence/evidence-button.js';
import { EntryFacts } from '../../display/entry/entry.js';
import { countText } from '../../display/numbers.js';
import type { Finding } from './queries.js';

/** The entries of the ledger that show a finding; one of them can be open. */
export function Evidence({ of: { entries, see } }: { readonly of: Finding }) {
  const [open, setOpen] = useState<string>();
  return (
    <Stack gap="xs">
      <Text size="sm">
        The first {countText(entries.length)} of its entries in the ledger. Everything:{' '}
        <Anchor
          href={see}
          target="_blank"
          rel="noopener"
          inherit
          underline="always"
          style={{ overflowWrap: 'anywhere' }}
        >
          {see}
        </Anchor>
      </Text>
      <Group gap="xs">
        <EvidenceOfRows size="compact-xs" indexes={entries} />
      </Group>
      <Group gap={4}>
        {entries.map((index) => (
          <Button
            key={index}
            size="compact-xs"
            variant={index === open ? 'filled' : 'default'}
            aria-expanded={index === open}
            aria-label={`Entry ${index}`}
            onClick={() => setOpen(index === open ? undefined : index)}
          >
            {index}
          </Button>
        ))}
      </Group>
      {open !== undefined && (
        <Paper withBorder p="xs" role="region" aria-label={`Entry ${open}`} mih={200}>
          <EntryFacts key={open} index={open} />
        </Paper>
      )}
    </Stack>
  );
}
