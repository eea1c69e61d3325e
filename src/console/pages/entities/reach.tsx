import { Anchor, Code, SimpleGrid, Stack, Table, Text } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { Entity } from '../../display/entity.js';
import { EntityLink } from '../../display/entity-link.js';
import { Part } from '../../display/facts.js';
import { LineageDrawer } from '../../display/lineage/lineage-drawer.js';
import { jsonText } from '../../display/names.js';
import { Moment } from '../../display/moment.js';
import { countText } from '../../display/numbers.js';
import { PageLink } from '../../display/page-link.js';
import { Failed, Loading } from '../../display/states.js';
import type { Kind } from './kinds.js';
import { useReach, type Reach } from './queries.js';
import type { EntitySearch } from './search.js';

const SHOWN = 6;

/** The blast radius: whom the entity reaches now, its live tokens, and the rules that would stop all of it. */
export function Reached({ kind, id }: { readonly kind: Kind; readonly id: string }) {
  const { data, error, isPending, refetch } = useReach(kind, id);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  const { users, clients, agents, resources } = data.reachable;
  const entities = <K extends Entity['kind']>(of: K, top: readonly { readonly item: unknown }[]): readonly Entity[] =>
    top.map(({ item }) => ({ kind: of, is: item }) as unknown as Entity);
  return (
    <>
      <Part title="Blast radius">
        <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} spacing="md">
          <Group name="Users" of={users} top={entities('user', users.top)} />
          <Group name="Clients" of={clients} top={entities('client', clients.top)} />
          <Group name="Agents" of={agents} top={entities('agent', agents.top)} />
          <Group name="Resources" of={resources} top={entities('resource', resources.top)} />
        </SimpleGrid>
      </Part>
      <Rules rules={data.rules} />
      <Tokens tokens={data.tokens} />
    </>
  );
}

function Group({
  name,
  of: { count, at_least: atLeast },
  top,
}: {
  readonly name: string;
  readonly of: { readonly count: number; readonly at_least?: true };
  readonly top: readonly Entity[];
}) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text fw={600}>
        {atLeast && 'at least '}
        {countText(count)}
      </Text>
      {top.slice(0, SHOWN).map((entity) => (
        <Text size="xs" key={entity.is.entity} style={{ overflowWrap: 'anywhere' }}>
          <EntityLink entity={entity} />
        </Text>
      ))}
    </div>
  );
}

function Rules({ rules }: { readonly rules: Reach['rules'] }) {
  return (
    <Part title="The rule that would stop it">
      {rules.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing is reached that a rule could stop.
        </Text>
      ) : (
        <Stack gap="xs">
          {rules.map(({ order, live_tokens: tokens, at_least: atLeast }) => (
            <div key={JSON.stringify(order)}>
              <Code block tabIndex={0}>
                {order.effect} {jsonText(order.selector)}
              </Code>
              <Text size="xs" c="dimmed">
                stops {atLeast && 'at least '}
                {countText(tokens)} live tokens
              </Text>
            </div>
          ))}
        </Stack>
      )}
    </Part>
  );
}

function Tokens({ tokens: { live, stopped, newest, at_least: atLeast } }: { readonly tokens: Reach['tokens'] }) {
  const { token } = useSearch({ strict: false }) as EntitySearch;
  const navigate = useNavigate();
  const open = (id: string | undefined): void =>
    void navigate({ to: '.', search: (before: object) => ({ ...before, token: id }), resetScroll: false });
  return (
    <Part title="Live tokens" count={live} atLeast={atLeast}>
      <Text size="xs" c="dimmed">
        {countText(stopped)} more are stopped by rules.
      </Text>
      {newest.length > 0 && (
        <Table aria-label="Live tokens" verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Token and its lineage</Table.Th>
              <Table.Th visibleFrom="md">Of</Table.Th>
              <Table.Th>Issued</Table.Th>
              <Table.Th visibleFrom="md">Ends</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {newest.map(({ id, kind, user, client, issued_at: issued, expires_at: expires }) => (
              <Table.Tr key={id}>
                <Table.Td>
                  <PageLink to="/tokens/$id" params={{ id }} inherit ff="monospace">
                    {id}
                  </PageLink>
                  <Text size="xs" c="dimmed" component="div">
                    {kind}{' '}
                    <Anchor component="button" inherit onClick={() => open(id)}>
                      lineage
                    </Anchor>
                  </Text>
                </Table.Td>
                <Table.Td visibleFrom="md">
                  {user !== null && (
                    <div>
                      <EntityLink entity={{ kind: 'user', is: user }} withKind />
                    </div>
                  )}
                  <EntityLink entity={{ kind: 'client', is: client }} withKind />
                </Table.Td>
                <Table.Td>
                  <Moment at={issued} stacked />
                </Table.Td>
                <Table.Td visibleFrom="md">{expires === null ? 'never' : <Moment at={expires} stacked />}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <LineageDrawer id={token} onClose={() => open(undefined)} />
    </Part>
  );
}
