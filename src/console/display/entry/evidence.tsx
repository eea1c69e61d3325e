import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { download } from '../../api/download.js';
import { Fact, Facts, Part } from '../facts.js';
import { countText } from '../numbers.js';
import { bytesOf, checkEntry, hexDump, type Checked } from './check.js';
import type { Entry } from './queries.js';

/** Bytes of a payload that are shown. */
const SHOWN_BYTES = 4_096;

/** The evidence of an entry: what the ledger committed to, and the exact bytes. Made for investigators. */
export function Evidence({ of: entry }: { readonly of: Entry }) {
  const { leaf_hash: leafHash, commitment, payload, index } = entry;
  return (
    <>
      <Part title="Evidence">
        <Stack gap="xs">
          <Check of={entry} />
          <Facts>
            <Fact name="leaf hash">
              <Code>{leafHash}</Code>
            </Fact>
            <Fact name="commitment">
              <Code>{commitment}</Code>
            </Fact>
            {payload && (
              <>
                <Fact name="salt">
                  <Code>{payload.salt}</Code>
                </Fact>
                <Fact name="attributes">
                  <Code>{payload.attributes === '' ? 'none' : payload.attributes}</Code>
                </Fact>
                <Fact name="sent as">{payload.mode}</Fact>
              </>
            )}
          </Facts>
        </Stack>
      </Part>
      {payload && <RawBytes bytes={bytesOf(payload.bytes)} index={index} />}
    </>
  );
}

function Check({ of: entry }: { readonly of: Entry }) {
  const { data, isPending } = useQuery({
    queryKey: ['checked', entry.index, entry.leaf_hash],
    queryFn: async () => (await checkEntry(entry)) ?? null,
    enabled: entry.payload !== null,
  });
  if (entry.payload === null || isPending) return null;
  return <Verdict of={data ?? undefined} />;
}

function Verdict({ of: checked }: { readonly of: Checked | undefined }) {
  if (checked === undefined)
    return (
      <Text size="sm" c="dimmed">
        This browser recomputes hashes only in pages that came over TLS.
      </Text>
    );
  if (checked.commitment && checked.leafHash)
    return (
      <Text size="sm">
        ✓ Recomputed in this page: the bytes give the commitment, and the entry gives the leaf hash.
      </Text>
    );
  return (
    <Alert color="red" role="alert" title="The evidence contradicts itself">
      Recomputed in this page,{' '}
      {checked.commitment ? 'the entry does not give the leaf hash' : 'the bytes do not give the commitment'}. Keep this
      answer, and run rescind fsck.
    </Alert>
  );
}

function RawBytes({ bytes, index }: { readonly bytes: Uint8Array<ArrayBuffer>; readonly index: string }) {
  return (
    <Part
      title="Raw bytes"
      count={bytes.length}
      beside={
        <Button variant="default" size="compact-xs" onClick={() => download(new Blob([bytes]), `entry-${index}.bin`)}>
          Download
        </Button>
      }
    >
      <Code block tabIndex={0} role="region" aria-label="Raw bytes in hexadecimal" fz={11}>
        {hexDump(bytes.subarray(0, SHOWN_BYTES))}
      </Code>
      {bytes.length > SHOWN_BYTES && (
        <Group mt={4}>
          <Text size="xs" c="dimmed">
            The first {countText(SHOWN_BYTES)} bytes.
          </Text>
        </Group>
      )}
    </Part>
  );
}
