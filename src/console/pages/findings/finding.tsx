import { Button, CopyButton, Group, Stack, Text } from '@mantine/core';
import type { KeyboardEvent } from 'react';
import { EntityLink } from '../../display/entity-link.js';
import type { Selector } from '../../api/rules.js';
import { SelectorWords } from '../../display/rule/selector-words.js';
import { OfNow } from '../../display/past/of-now.js';
import { Moment } from '../../display/moment.js';
import { Name, Sentence } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { StopLink } from '../../display/rule/stop-link.js';
import { BeforeLink } from '../../display/past/before-link.js';
import { Fact, Facts, Part } from '../../display/facts.js';
import { Severity } from '../../display/findings/severity.js';
import { SideDrawer } from '../../display/degraded/side-drawer.js';
import { Failed, Loading } from '../../display/states.js';
import { ChangeState } from './change.js';
import { partiesOf } from './columns.js';
import { Evidence } from './evidence.js';
import { History } from './history.js';
import { useFinding, type Finding } from './queries.js';

export function FindingDrawer({ id, onClose }: { readonly id: string | undefined; readonly onClose: () => void }) {
  return (
    <SideDrawer
      opened={id !== undefined}
      onClose={onClose}
      size="lg"
      title="Finding"
      closeOnEscape={false}
      onKeyDown={(event) => isEscapeWithin(event) && onClose()}
    >
      {id !== undefined && <Loaded id={id} />}
    </SideDrawer>
  );
}

/** Escape in a dialog or a list above the drawer closes that alone. */
const isEscapeWithin = ({ key, target, currentTarget }: KeyboardEvent): boolean =>
  key === 'Escape' &&
  target instanceof Element &&
  currentTarget.contains(target) &&
  target.getAttribute('data-mantine-stop-propagation') !== 'true';

function Loaded({ id }: { readonly id: string }) {
  const { data, error, isPending, refetch } = useFinding(id);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  return <Shown finding={data} />;
}

function Shown({ finding }: { readonly finding: Finding }) {
  const { id, severity, kind, state, says, means, next, stop, count, first_seen, last_seen, muted_until } = finding;
  return (
    <Stack gap="md">
      <Group gap="xs">
        <Severity of={severity} />
        <Text fw={600}>{kind}</Text>
        <Text c="dimmed">
          {state}
          {muted_until !== null && (
            <>
              {' '}
              until <Moment at={muted_until} />
            </>
          )}
        </Text>
      </Group>
      <ChangeState key={id} findings={[finding]} />
      <Text style={{ overflowWrap: 'anywhere' }}>
        <Sentence>{says}</Sentence>
      </Text>
      <Text size="sm" c="dimmed">
        {means}
      </Text>
      <Facts>
        {partiesOf(finding).map((entity) => (
          <Fact key={entity.kind} name={entity.kind}>
            <EntityLink entity={entity} />
          </Fact>
        ))}
        {finding.source && (
          <Fact name="source">
            <Name>{finding.source.name ?? 'Rescind'}</Name>
          </Fact>
        )}
        <Fact name="count">{countText(count)}</Fact>
        <Fact name="first">
          <Moment at={first_seen} /> <BeforeLink time={first_seen} entity={partiesOf(finding)[0]} />
        </Fact>
        <Fact name="last">
          <Moment at={last_seen} />
        </Fact>
      </Facts>
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
            <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
              Stops <SelectorWords selector={stop.selector as Selector} />.
            </Text>
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
        <Evidence key={id} of={finding} />
      </Part>
      <Part title="History" beside={<OfNow />}>
        <History id={id} />
      </Part>
    </Stack>
  );
}
