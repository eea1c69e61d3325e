import { Group, Stack, Text } from '@mantine/core';
import { useMoment } from '../../api/moment.js';
import { EntityLink } from '../../display/entity-link.js';
import { Fact, Facts } from '../../display/facts.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { PageLink } from '../../display/page-link.js';
import { selectorOf } from '../../display/rule/selector-of.js';
import { StopLink } from '../../display/rule/stop-link.js';
import { SideDrawer } from '../../display/degraded/side-drawer.js';
import type { Cell } from './matrix.js';
import { STATE_WORDS } from './words.js';

/** One connection beside the map, which stays as it is. */
export function Panel({ cell, onClose }: { readonly cell: Cell | undefined; readonly onClose: () => void }) {
  return (
    <SideDrawer
      opened={cell !== undefined}
      onClose={onClose}
      size="md"
      title="Connection"
      withOverlay={false}
      lockScroll={false}
    >
      {cell !== undefined && <Shown cell={cell} />}
    </SideDrawer>
  );
}

const CONNECTIONS = {
  created: 'approved at the identity provider',
  observed: 'seen in an ID-JAG, no approval was told',
  deleted: 'deleted at the identity provider',
  unrecorded: 'not recorded',
} as const;

function Shown({ cell }: { readonly cell: Cell }) {
  const { row, resource, state, parts, grants, allowed, denied, granted, unused, used, lastUsed } = cell;
  const isPast = useMoment().as_of !== undefined;
  const beyond = used.filter((scope) => !granted.includes(scope));
  return (
    <Stack gap="md">
      <Facts>
        <Fact name={row.kind}>
          <EntityLink entity={row} />
        </Fact>
        <Fact name="resource">
          <EntityLink entity={resource} />
        </Fact>
        <Fact name="state">{STATE_WORDS[state]}</Fact>
        <Fact name="connection">{[...new Set(parts.map(({ connection }) => CONNECTIONS[connection]))].join('; ')}</Fact>
        <Fact name="users">{countText(grants)} hold a grant</Fact>
        <Fact name="calls">
          {countText(allowed)} allowed, {countText(denied)} denied
        </Fact>
        <Fact name="last use">{lastUsed === null ? 'never' : <Moment at={lastUsed} />}</Fact>
        <Fact name="granted">
          <Scopes of={granted} unused={unused} />
        </Fact>
        {beyond.length > 0 && (
          <Fact name="used without a grant">
            <Scopes of={beyond} unused={[]} />
          </Fact>
        )}
      </Facts>
      {isPast ? (
        <Text size="sm" c="dimmed">
          This is how it was. Orders are made in the present.
        </Text>
      ) : (
        <Group>
          <StopLink selector={{ ...selectorOf(row), ...selectorOf(resource) }}>Stop this connection…</StopLink>
          <PageLink
            from="/map"
            to="/map"
            search={(before) => ({ ...before, show: 'graph', focus: row.is.entity, cell: undefined })}
            size="sm"
          >
            Draw around it
          </PageLink>
        </Group>
      )}
    </Stack>
  );
}

function Scopes({ of, unused }: { readonly of: readonly string[]; readonly unused: readonly string[] }) {
  if (of.length === 0) return <>none</>;
  return of.map((scope) => (
    <Text key={scope} size="xs" ff="monospace" {...(unused.includes(scope) ? { c: 'dimmed' } : {})}>
      <Name>{scope}</Name>
      {unused.includes(scope) && ' (never used)'}
    </Text>
  ));
}
