import { Stack, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { EntryFacts } from '../../display/entry/entry.js';

const route = getRouteApi('/entries/$index');

/** One entry of the ledger, at an address of its own. */
export function EntryPage() {
  const { index } = route.useParams();
  return (
    <Stack gap="sm" maw={860}>
      <Title order={1}>Entry {index}</Title>
      <EntryFacts index={index} withEvidence />
    </Stack>
  );
}
