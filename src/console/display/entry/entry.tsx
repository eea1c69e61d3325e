import { Anchor, Button, Code, Group, Loader, Stack, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useMe } from '../../api/me.js';
import { EntityLink } from '../entity-link.js';
import { EvidenceOfEntry } from '../evidence/evidence-button.js';
import { readEvent, type EventFacts } from '../events.js';
import { Fact, Facts } from '../facts.js';
import { Moment } from '../moment.js';
import { Name } from '../name.js';
import { Failed, Loading } from '../states.js';
import { Evidence } from './evidence.js';
import { useEntry, useToken } from './queries.js';

interface EntryFactsProps {
  readonly index: string;
  /** Shows the hashes and the raw bytes too, to those who may see them. */
  readonly withEvidence?: boolean;
}

/** An entry of the ledger: who said it and when, and what it said. */
export function EntryFacts({ index, withEvidence = false }: EntryFactsProps) {
  const { data: me } = useMe();
  const { data, error, isPending, refetch } = useEntry(index);
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
      {event === null && (
        <Text size="sm" c="dimmed">
          {me?.may.investigate === false
            ? 'Your role does not show what this event said, nor its bytes; an investigator sees them.'
            : 'What this event said was erased.'}
        </Text>
      )}
      <WholeEvent text={event?.text}>
        <EvidenceOfEntry index={index} />
        <Anchor href={`/v1/entries/${index}`} target="_blank" rel="noopener" size="xs">
          /v1/entries/{index}
        </Anchor>
      </WholeEvent>
      {withEvidence && me?.may.investigate && <Evidence of={data} />}
    </Stack>
  );
}

/** Shows the whole text of an event to who asks for it; `children` stand beside the button. */
function WholeEvent({ text, children }: { readonly text: string | undefined; readonly children: ReactNode }) {
  const [isWhole, setIsWhole] = useState(false);
  return (
    <>
      <Group gap="xs">
        {text !== undefined && (
          <Button
            size="compact-xs"
            variant="default"
            aria-expanded={isWhole}
            onClick={() => setIsWhole((before) => !before)}
          >
            The whole event
          </Button>
        )}
        {children}
      </Group>
      {isWhole && (
        <Code block tabIndex={0}>
          {text}
        </Code>
      )}
    </>
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
