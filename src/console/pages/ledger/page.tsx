import { Alert, Anchor, Badge, Code, Group, Stack, Text, Title } from '@mantine/core';
import { Fact, Facts, Part } from '../../display/facts.js';
import { Later } from '../../display/later.js';
import { Moment } from '../../display/moment.js';
import { Sentence } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { PageLink } from '../../display/page-link.js';
import { OfNow } from '../../display/past/of-now.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { Growth } from './growth.js';
import { HowToCheck, Keys } from './how-to-check.js';
import { useLedger } from './queries.js';
import type { LedgerState } from './state.js';
import { Unwitnessed, Witnesses } from './witnesses.js';

/** How far the ledger is published and witnessed, and how a stranger checks it. */
export function LedgerPage() {
  const { data, error, isPending, refetch } = useLedger();
  return (
    <Stack gap="md" maw={1000}>
      <Group justify="space-between" align="baseline" gap="xs">
        <Group gap="xs" align="baseline">
          <Title order={1}>Ledger</Title>
          {data && <Witnessed of={data} />}
          <OfNow />
        </Group>
        <PageLink to="/verify" size="sm">
          Check an evidence file
        </PageLink>
      </Group>
      {isPending ? (
        <Loading />
      ) : data === undefined ? (
        <Failed error={error} reset={() => void refetch()} />
      ) : data === null ? (
        <Empty title="No checkpoint is published yet">The first follows the first entry by about a second.</Empty>
      ) : (
        <Shown of={data} />
      )}
    </Stack>
  );
}

function Shown({ of: ledger }: { readonly of: LedgerState }) {
  return (
    <>
      <Unwitnessed of={ledger} />
      <Part title="Newest checkpoint">
        <Checkpoint of={ledger} />
      </Part>
      <Part title="Growth">
        <Growth of={ledger.growth} />
      </Part>
      <Part title="Witnesses" count={ledger.witnesses.length}>
        <Witnesses of={ledger} />
      </Part>
      <Later>
        <Part title="Verifier keys" count={ledger.keys.length}>
          <Keys of={ledger} />
        </Part>
        <Part title="How an auditor checks it">
          <HowToCheck of={ledger} />
        </Part>
      </Later>
    </>
  );
}

function Witnessed({ of: { unwitnessed, size } }: { readonly of: LedgerState }) {
  if (unwitnessed === 0n)
    return (
      <Badge color="teal.9" variant="filled" autoContrast>
        witnessed
      </Badge>
    );
  return (
    <Badge variant="default">
      {unwitnessed === size ? 'unwitnessed' : `unwitnessed: the last ${countText(unwitnessed)}`}
    </Badge>
  );
}

function Checkpoint({ of: { checkpoint, size, waiting, isSigned, tenant } }: { readonly of: LedgerState }) {
  const { origin, root, at } = checkpoint;
  return (
    <Stack gap="xs">
      {!isSigned && (
        <Alert color="red" role="alert" title="No key of this ledger signed this checkpoint">
          Checked in this page. Keep the checkpoint, and run rescind fsck.
        </Alert>
      )}
      <Facts>
        <Fact name="entries">
          {countText(size)}
          {waiting > 0n && (
            <Text span inherit c="dimmed">
              , and {countText(waiting)} that no checkpoint covers yet
            </Text>
          )}
        </Fact>
        <Fact name="root">
          <Code>{root}</Code>
        </Fact>
        <Fact name="published">
          <Moment at={at} />
        </Fact>
        <Fact name="origin">
          <Sentence>{origin}</Sentence>
        </Fact>
        {isSigned && <Fact name="signature">✓ recomputed in this page with a key below</Fact>}
      </Facts>
      <Text size="sm">
        As strangers get it:{' '}
        <Anchor href={`/ledger/${tenant}/checkpoint`} target="_blank" rel="noopener" inherit>
          the signed checkpoint
        </Anchor>
        ,{' '}
        <Anchor href={`/ledger/${tenant}/keys`} target="_blank" rel="noopener" inherit>
          the keys
        </Anchor>
      </Text>
    </Stack>
  );
}
