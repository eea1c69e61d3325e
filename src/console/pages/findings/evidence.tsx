import { Anchor, Button, Code, Group, Loader, Paper, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useMe } from '../../api/me.js';
import { EntityLink } from '../../display/entity-link.js';
import { readEvent, type EventFacts } from '../../display/events.js';
import { Fact, Facts } from '../../display/facts.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { Failed, Loading } from '../../display/states.js';
import { useEntry, useToken, type Finding } from './queries.js';

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
          <Entry key={open} index={open} />
        </Paper>
      )}
    </Stack>
  );
}

function Entry({ index }: { readonly index: string }) {
  const { data: me } = useMe();
  const { data, error, isPending, refetch } = useEntry(index);
  const [isWhole, setIsWhole] = useState(false);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  const { type, arrival, source, payload } = data;
  const event = payload && readEvent(payload);
  return (
    <Stack gap="xs">
      <Facts>
        <Fact name="type">{type}</Fact>
        {event?.time !== undefined && (
          <Fact name="time">
            <Moment at={event.time} />
          </Fact>
        )}
        <Fact name="arrived">
          <Moment at={arrival} />
        </Fact>
        <Fact name="told by">
          <Name>{source.name ?? 'Rescind'}</Name>
        </Fact>
        {event?.token && <WhoseToken named={event.token} />}
        {event?.names.map(([what, name]) => (
          <Fact key={what} name={what}>
            <Name>{name}</Name>
          </Fact>
        ))}
      </Facts>
      {event === null ? (
        <Text size="sm" c="dimmed">
          {me?.may.investigate === false
            ? 'Your role does not show what this event said; an investigator sees it.'
            : 'What this event said was erased.'}
        </Text>
      ) : (
        <>
          <Group gap="xs">
            <Button
              size="compact-xs"
              variant="default"
              aria-expanded={isWhole}
              onClick={() => setIsWhole((before) => !before)}
            >
              The whole event
            </Button>
            <Anchor href={`/v1/entries/${index}`} target="_blank" rel="noopener" size="xs">
              /v1/entries/{index}
            </Anchor>
          </Group>
          {isWhole && (
            <Code block tabIndex={0}>
              {event?.text}
            </Code>
          )}
        </>
      )}
    </Stack>
  );
}

/** Names the user, the client and the agent of a token that Rescind knows. */
function WhoseToken({ named }: { readonly named: NonNullable<EventFacts['token']> }) {
  const { data, isPending } = useToken(named);
  if (data === undefined)
    return <Fact name="user">{isPending ? <Loader size={12} aria-label="Loading" /> : 'not known'}</Fact>;
  const { user, client, agent } = data;
  return (
    <>
      <Fact name="user">{user ? <EntityLink entity={{ kind: 'user', is: user }} /> : 'not known'}</Fact>
      <Fact name="client">
        <EntityLink entity={{ kind: 'client', is: client }} />
      </Fact>
      {agent && (
        <Fact name="agent">
          <EntityLink entity={{ kind: 'agent', is: agent }} />
        </Fact>
      )}
    </>
  );
}
