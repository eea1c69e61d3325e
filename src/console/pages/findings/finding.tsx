import { Anchor, Code, CopyButton, Button, Drawer, Group, Stack, Table, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { EntityLink } from '../../display/entity-link.js';
import type { Selector } from '../../api/rules.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { StopLink } from '../../display/rule/stop-link.js';
import { Failed, Loading } from '../../display/states.js';
import { partiesOf, Severity } from './columns.js';
import { useFinding, type Finding } from './queries.js';

export function FindingDrawer({ id, onClose }: { readonly id: string | undefined; readonly onClose: () => void }) {
  return (
    <Drawer
      opened={id !== undefined}
      onClose={onClose}
      position="right"
      size="lg"
      title="Finding"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {id !== undefined && <Loaded id={id} />}
    </Drawer>
  );
}

function Loaded({ id }: { readonly id: string }) {
  const { data, error, isPending, refetch } = useFinding(id);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  return <Shown finding={data} />;
}

function Shown({ finding }: { readonly finding: Finding }) {
  const { severity, kind, state, says, means, next, stop, entries, see, count, first_seen, last_seen, reason } =
    finding;
  return (
    <Stack gap="md">
      <Group gap="xs">
        <Severity of={severity} />
        <Text fw={600}>{kind}</Text>
        <Text c="dimmed">{state}</Text>
      </Group>
      <Text style={{ overflowWrap: 'anywhere' }}>
        <bdi>{says}</bdi>
      </Text>
      <Text size="sm" c="dimmed">
        {means}
      </Text>
      <Table variant="vertical" layout="fixed" withTableBorder>
        <Table.Tbody>
          {partiesOf(finding).map((entity) => (
            <Row key={entity.kind} name={entity.kind}>
              <EntityLink entity={entity} />
            </Row>
          ))}
          {finding.source && (
            <Row name="source">
              <Name>{finding.source.name ?? 'Rescind'}</Name>
            </Row>
          )}
          <Row name="count">{countText(count)}</Row>
          <Row name="first">
            <Moment at={first_seen} />
          </Row>
          <Row name="last">
            <Moment at={last_seen} />
          </Row>
          {reason !== null && (
            <Row name="reason">
              <bdi>{reason}</bdi>
            </Row>
          )}
        </Table.Tbody>
      </Table>
      <Part title="Next step">
        <Text size="sm">{next}</Text>
      </Part>
      <Part title="The rule that would stop it">
        {stop === null ? (
          <Text size="sm" c="dimmed">
            No rule stops this.
          </Text>
        ) : (
          <Stack gap="xs" align="flex-start">
            <Code block w="100%" tabIndex={0}>
              {JSON.stringify(stop.selector, undefined, 2)}
            </Code>
            <Group gap="xs">
              <StopLink selector={stop.selector as Selector} />
              <CopyButton value={stop.command}>
                {({ copied, copy }) => (
                  <Button variant="default" onClick={copy}>
                    {copied ? 'Copied' : 'Copy the command that orders it'}
                  </Button>
                )}
              </CopyButton>
            </Group>
          </Stack>
        )}
      </Part>
      <Part title="Evidence">
        <Text size="sm">
          {countText(entries.length)} of its entries in the ledger, the first ones. Everything: <Code>{see}</Code>
        </Text>
        <Group gap={6} mt={6}>
          {entries.map((index) => (
            <Anchor key={index} href={`/v1/entries/${index}`} size="xs" target="_blank">
              {index}
            </Anchor>
          ))}
        </Group>
      </Part>
    </Stack>
  );
}

function Row({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <Table.Tr>
      <Table.Th w={96}>{name}</Table.Th>
      <Table.Td>{children}</Table.Td>
    </Table.Tr>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section>
      <Title order={2} mb={4}>
        {title}
      </Title>
      {children}
    </section>
  );
}
