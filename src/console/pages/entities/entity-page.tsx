import { Group, SimpleGrid, Stack, Tabs, Text, Title } from '@mantine/core';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { Answer } from '../../api/client.js';
import { useMoment, useMoments } from '../../api/moment.js';
import { Part } from '../../display/facts.js';
import { OfNow } from '../../display/past/of-now.js';
import { selectorOf } from '../../display/rule/selector-of.js';
import { StopLink } from '../../display/rule/stop-link.js';
import { Name, Sentence } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { PageLink } from '../../display/page-link.js';
import { Severity } from '../../display/findings/severity.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { nameOf } from '../../display/entity.js';
import { Owner } from './columns.js';
import { Connections, Grants } from './connections.js';
import { Compared, Numbers } from './numbers.js';
import type { Kind } from './kinds.js';
import { useNames, useStanding, type EntityRow } from './queries.js';
import { Reached } from './reach.js';
import type { EntitySearch, Shown } from './search.js';
import { EntityTimeline } from './timeline.js';
import { Uses } from './uses.js';

export const UserPage = () => <EntityPage kind="user" />;
export const ClientPage = () => <EntityPage kind="client" />;
export const AgentPage = () => <EntityPage kind="agent" />;
export const ResourcePage = () => <EntityPage kind="resource" />;

function EntityPage({ kind }: { readonly kind: Kind }) {
  const { entity: id } = useParams({ strict: false }) as { readonly entity: string };
  const { data, error, isPending, refetch } = useStanding(kind, id, useMoment());
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  const [row] = data;
  if (row === undefined) return <Empty title={`No ${kind} of this id`}>No event has named it.</Empty>;
  return <Page key={`${kind} ${id}`} kind={kind} id={id} row={row} />;
}

function Page({ kind, id, row }: { readonly kind: Kind; readonly id: string; readonly row: EntityRow }) {
  const { entity } = row;
  const { show: asked = 'timeline' } = useSearch({ strict: false }) as EntitySearch;
  const { against } = useMoments();
  const navigate = useNavigate();
  const hasConnections = kind === 'client' || kind === 'resource';
  const shown = asked === 'connections' && !hasConnections ? 'grants' : asked;
  const show = (tab: Shown): void =>
    void navigate({
      to: '.',
      search: (before: object) => ({ ...before, show: tab === 'timeline' ? undefined : tab }),
      replace: true,
      resetScroll: false,
    });
  return (
    <Stack gap="lg">
      <div>
        <Group justify="space-between" align="flex-start" wrap="nowrap" gap="sm">
          <Group gap="xs" align="baseline" style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
            <Text c="dimmed">{kind}</Text>
            <Title order={1}>
              <Name>{nameOf(entity)}</Name>
            </Title>
          </Group>
          <StopLink selector={selectorOf(entity)}>Stop…</StopLink>
        </Group>
        <Group gap="md" mt={4} fz="sm">
          {entity.kind !== 'resource' && (
            <Text span inherit c="dimmed">
              at <Name>{entity.is.iss}</Name>
            </Text>
          )}
          <Owner of={row} />
          <OfNow />
        </Group>
      </div>
      {against === undefined ? <Numbers row={row} /> : <Compared kind={kind} id={id} row={row} against={against} />}
      <Known id={id} />
      <Uses kind={kind} id={id} since={row.first_seen.at} />
      <Tabs value={shown} onChange={(tab) => show(tab as Shown)} keepMounted={false}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="timeline">Timeline</Tabs.Tab>
          {hasConnections && <Tabs.Tab value="connections">Connections</Tabs.Tab>}
          <Tabs.Tab value="grants">Grants</Tabs.Tab>
          <Tabs.Tab value="reach">Blast radius</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="timeline">
          <EntityTimeline kind={kind} id={id} />
        </Tabs.Panel>
        {hasConnections && (
          <Tabs.Panel value="connections">
            <Connections kind={kind} id={id} />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="grants">
          <Grants kind={kind} id={id} />
        </Tabs.Panel>
        <Tabs.Panel value="reach">
          <Stack gap="lg">
            <Reached kind={kind} id={id} />
          </Stack>
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

/** Open findings, and the other names that events and the directory know. */
function Known({ id }: { readonly id: string }) {
  const { data, error, isPending, refetch } = useNames(id);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  const others = data.names.filter(({ entity }) => String(entity) !== id);
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
      <Findings of={data.findings} />
      <Part title="Other names" count={others.length} atLeast={data.at_least}>
        {others.length === 0 ? (
          <Text size="sm" c="dimmed">
            No event or directory entry gives it another name.
          </Text>
        ) : (
          <Stack gap={2}>
            {others.slice(0, SHOWN_NAMES).map(({ entity, name, iss, weak }) => (
              <Text size="sm" key={entity}>
                <Name>{name}</Name>{' '}
                <Text span size="xs" c="dimmed">
                  {iss !== null && <Name>{iss}</Name>}
                  {weak && ' by the same email alone'}
                </Text>
              </Text>
            ))}
            {others.length > SHOWN_NAMES && (
              <Text size="xs" c="dimmed">
                and {countText(others.length - SHOWN_NAMES)} more
              </Text>
            )}
          </Stack>
        )}
      </Part>
    </SimpleGrid>
  );
}

const SHOWN_NAMES = 8;

function Findings({ of }: { readonly of: Answer<'EntityAnswer'>['findings'] }) {
  return (
    <Part title="Open findings" count={of?.count} atLeast={of?.at_least}>
      {of === null || of.items.length === 0 ? (
        <Text size="sm" c="dimmed">
          No open finding names it.
        </Text>
      ) : (
        <Stack gap="xs">
          {of.items.map(({ id, kind, severity, says }) => (
            <div key={id}>
              <Group gap="xs">
                <Severity of={severity} />
                <PageLink to="/findings" search={{ finding: id }} size="sm" fw={500}>
                  {kind}
                </PageLink>
              </Group>
              <Text size="xs" c="dimmed" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
                <Sentence>{says}</Sentence>
              </Text>
            </div>
          ))}
        </Stack>
      )}
    </Part>
  );
}
