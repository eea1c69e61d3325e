import { Alert, Anchor, Button, Code, Group, List, Stack, Table, Text, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useMe } from '../../api/me.js';
import { Fact, Facts, Part } from '../../display/facts.js';
import { Moment } from '../../display/moment.js';
import { OfNow } from '../../display/past/of-now.js';
import { Name, Sentence } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { Failed, Loading } from '../../display/states.js';
import { useCheck, useReplay, type Check, type Refused } from './queries.js';

const route = getRouteApi('/sources/$id');

const KEYS = { inline: 'given at registration', jwks_uri: 'fetched from its address', none: 'none' } as const;

/** One source, as it speaks: the page asks again every two seconds. */
export function SourcePage() {
  const { id } = route.useParams();
  const { data, error, isPending, refetch } = useCheck(id);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  return (
    <Stack gap="lg">
      <Group gap="xs" align="baseline">
        <Title order={1}>
          <Name>{data.source.name ?? data.source.id}</Name>
        </Title>
        <OfNow />
      </Group>
      <NextSteps check={data} />
      <Receipts check={data} />
      <Types check={data} />
      <RefusedEvents refused={data.refused} />
    </Stack>
  );
}

function NextSteps({ check: { next_steps: steps, disabled } }: { readonly check: Check }) {
  if (disabled)
    return (
      <Alert color="yellow" title="This source is disabled">
        Its events are refused until an administrator enables it again.
      </Alert>
    );
  if (steps.length === 0) return <Alert color="green" title="Nothing is wrong with this source" />;
  return (
    <Alert color="yellow" title="What to do next">
      <List size="sm" spacing={4}>
        {steps.map(({ code, says }) => (
          <List.Item key={code}>
            <Sentence>{says}</Sentence>
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

function Receipts({ check: { events } }: { readonly check: Check }) {
  return (
    <Part title="What came last">
      {events.length === 0 ? (
        <Text size="sm" role="status">
          No event has come yet. This page shows the first one as soon as it is in the ledger.
        </Text>
      ) : (
        <Table.ScrollContainer minWidth={480}>
          <Table aria-label="Last events">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Arrived</Table.Th>
                <Table.Th>Event</Table.Th>
                <Table.Th ta="right">Late by</Table.Th>
                <Table.Th ta="right">Entry</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {events.map(({ index, arrival, type, delay_ms: delay }) => (
                <Table.Tr key={index}>
                  <Table.Td>
                    <Moment at={arrival} />
                  </Table.Td>
                  <Table.Td>{type}</Table.Td>
                  <Table.Td ta="right">{delay === null ? '' : delayText(delay)}</Table.Td>
                  <Table.Td ta="right">
                    <Anchor href={`/v1/entries/${index}`} target="_blank" inherit>
                      {index}
                    </Anchor>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Part>
  );
}

function Types({ check: { types, keys, clock } }: { readonly check: Check }) {
  return (
    <Part title="What it may say, and has said">
      <Facts>
        {types.map(({ type, events }) => (
          <Fact key={type} name={type}>
            {events === 0 ? (
              <Text span inherit c="dimmed">
                never
              </Text>
            ) : (
              countText(events)
            )}
          </Fact>
        ))}
        <Fact name="keys">
          {KEYS[keys.from]}
          {keys.usable !== null && `, ${countText(keys.usable)} of them usable`}
        </Fact>
        {clock && (
          <Fact name="its clock">
            {clock.verdict.replaceAll('-', ' ')}: events come {delayText(clock.delay.mean)} after their time on average
          </Fact>
        )}
      </Facts>
    </Part>
  );
}

function saidOf(replayed: NonNullable<ReturnType<typeof useReplay>['data']>): string {
  if ('error' in replayed) return `Refused again: ${replayed.error}`;
  if (!('batch' in replayed)) return `Taken in, as entry ${replayed.index}`;
  const refused = replayed.batch.filter((one) => 'error' in one).length;
  return `Taken in: ${replayed.batch.length - refused} of the ${replayed.batch.length} events of the batch`;
}

function RefusedEvents({ refused }: { readonly refused: readonly Refused[] }) {
  const { data: me } = useMe();
  const replay = useReplay();
  // An event that was taken in is no longer refused: its row goes, and what became of it stays.
  if (refused.length === 0 && replay.data === undefined) return null;
  return (
    <Part title="What was refused, and why">
      {replay.data && (
        <Alert mb="xs" color={'error' in replay.data ? 'red' : 'green'} role="status">
          {saidOf(replay.data)}
        </Alert>
      )}
      {replay.error && <Failed error={replay.error} />}
      <Table.ScrollContainer minWidth={560}>
        <Table aria-label="Refused events">
          <Table.Tbody>
            {refused.map(({ id, at, code, detail, replayed }) => (
              <Table.Tr key={id}>
                <Table.Td>
                  <Moment at={at} />
                </Table.Td>
                <Table.Td>
                  <Code>{code}</Code>
                </Table.Td>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>
                  <Sentence>{detail}</Sentence>
                </Table.Td>
                <Table.Td ta="right">
                  {replayed ? (
                    <Text inherit c="dimmed">
                      taken in since
                    </Text>
                  ) : (
                    <Button
                      variant="default"
                      disabled={me?.may.administer !== true}
                      title={me?.may.administer === false ? 'Administrators take events in again.' : undefined}
                      loading={replay.isPending && replay.variables.params.path.id === id}
                      onClick={() => replay.mutate({ params: { path: { id } } })}
                    >
                      Take it in again
                    </Button>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Part>
  );
}

const MS = { s: 1_000, min: 60_000, h: 3_600_000 } as const;

function delayText(ms: number): string {
  if (ms < MS.s) return `${ms} ms`;
  if (ms < MS.min) return `${Math.round(ms / MS.s)} s`;
  return ms < MS.h ? `${Math.round(ms / MS.min)} min` : `${(ms / MS.h).toFixed(1)} h`;
}
