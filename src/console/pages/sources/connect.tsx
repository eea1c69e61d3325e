import { Button, Code, CopyButton, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { Part } from '../../display/facts.js';
import { PageLink } from '../../display/page-link.js';
import { SideDrawer } from '../../display/degraded/side-drawer.js';
import { Failed } from '../../display/states.js';
import { useCreateCaller, useCreateSource, type EventType } from './queries.js';

/** The events of each kind of party (the catalogue of events says who may say what). */
const TYPES: Readonly<Record<'idp' | 'app', EventType[]>> = {
  idp: [
    'id-jag.issued',
    'id-jag.denied',
    'session.ended',
    'user.disabled',
    'user.enabled',
    'client.disabled',
    'client.enabled',
    'connection.created',
    'connection.updated',
    'connection.deleted',
  ],
  app: ['token.issued', 'token.denied', 'token.revoked', 'access.allowed', 'access.denied', 'access.summary'],
};

interface Wanted {
  readonly party: 'idp' | 'app';
  readonly name: string;
  readonly uri: string;
  readonly issuers: string[];
  readonly resources: string[];
  readonly jwksUri: string;
}
const EMPTY: Wanted = { party: 'app', name: '', uri: '', issuers: [], resources: [], jwksUri: '' };

interface Connected {
  readonly id: string;
  readonly wanted: Wanted;
  readonly key: string;
}

/** Registers a source and a key for its events, and says how to send the first one. */
export function ConnectDrawer({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  const [connected, setConnected] = useState<Connected>();
  const close = (): void => {
    setConnected(undefined);
    onClose();
  };
  return (
    <SideDrawer opened={opened} onClose={close} size="lg" title="Connect a source">
      {connected === undefined ? <Form onConnected={setConnected} /> : <FirstEvent connected={connected} />}
    </SideDrawer>
  );
}

function Form({ onConnected }: { readonly onConnected: (connected: Connected) => void }) {
  const [wanted, setWanted] = useState(EMPTY);
  const source = useCreateSource();
  const caller = useCreateCaller();
  const change = (part: Partial<Wanted>): void => setWanted((before) => ({ ...before, ...part }));
  const { party, name, uri, issuers, resources, jwksUri } = wanted;

  async function connect(event: FormEvent): Promise<void> {
    event.preventDefault();
    const registered = await source.mutateAsync({
      body: {
        name,
        uri,
        types: TYPES[party],
        issuers,
        ...(party === 'app' ? { resources } : {}),
        ...(jwksUri === '' ? {} : { jwks_uri: jwksUri }),
      } as never,
    });
    const made = await caller.mutateAsync({
      body: { id: `${name}-emit`, roles: { emit: { sources: [name] } } } as never,
    });
    onConnected({ id: registered.id!, wanted, key: made.secret! });
  }

  return (
    <form onSubmit={(event) => void connect(event).catch(() => undefined)}>
      <Stack>
        <Select
          label="What it is"
          data={[
            { value: 'app', label: 'a resource application: issues and checks access tokens' },
            { value: 'idp', label: 'an identity provider: issues ID-JAGs' },
          ]}
          value={party}
          onChange={(value) => change({ party: value === 'idp' ? 'idp' : 'app' })}
          allowDeselect={false}
        />
        <TextInput
          label="Short name"
          description="Lower-case letters, digits and hyphens; it names the Kafka topic too."
          pattern="[a-z0-9\-]{1,63}"
          required
          value={name}
          onChange={({ currentTarget }) => change({ name: currentTarget.value })}
        />
        <TextInput
          label="URI of the source"
          description="The attribute `source` of its events."
          required
          value={uri}
          onChange={({ currentTarget }) => change({ uri: currentTarget.value })}
        />
        <TagsInput
          label="Issuers it speaks for"
          description="As `iss` of its tokens has them. Enter after each."
          value={issuers}
          onChange={(value) => change({ issuers: value })}
        />
        {party === 'app' && (
          <TagsInput
            label="Its resource identifiers"
            description="As `aud` of its tokens has them. Enter after each."
            value={resources}
            onChange={(value) => change({ resources: value })}
          />
        )}
        <TextInput
          label="Address of its keys (JWKS)"
          description="Needed if its tokens are JWTs, or if it signs anything."
          value={jwksUri}
          onChange={({ currentTarget }) => change({ jwksUri: currentTarget.value })}
        />
        {source.error && <Failed error={source.error} />}
        {caller.error && <Failed error={caller.error} />}
        <Button type="submit" loading={source.isPending || caller.isPending}>
          Register it
        </Button>
      </Stack>
    </form>
  );
}

function FirstEvent({ connected: { id, wanted, key } }: { readonly connected: Connected }) {
  const command = firstEvent(wanted, key);
  return (
    <Stack>
      <Text size="sm">
        The source is registered. Its key is shown here and never again; keep it where the source keeps its secrets.
      </Text>
      <Part title="Send the first event">
        <Code block tabIndex={0}>
          {command}
        </Code>
        <CopyButton value={command}>
          {({ copied, copy }) => (
            <Button variant="default" mt="xs" onClick={copy}>
              {copied ? 'Copied' : 'Copy the command'}
            </Button>
          )}
        </CopyButton>
      </Part>
      <PageLink to="/sources/$id" params={{ id }}>
        See it arrive
      </PageLink>
    </Stack>
  );
}

/** A command that sends one event of the source, which says nothing that could stop or grant anything. */
function firstEvent({ party, uri, issuers }: Wanted, key: string): string {
  const issuer = issuers[0] ?? 'https://issuer.example';
  const refused = { error: 'access_denied', reason: 'the first event of this source' };
  const data =
    party === 'idp'
      ? { iss: issuer, idp_client_id: 'first-event', aud: ['https://as.example'], ...refused }
      : { iss: issuer, id_jag: { iss: 'https://idp.example', jti: 'first-event' }, ...refused };
  const type = party === 'idp' ? 'id-jag.denied' : 'token.denied';
  const event = {
    specversion: '1.0',
    type: `dev.rescind.${type}.v1`,
    source: uri,
    id: crypto.randomUUID(),
    time: new Date().toISOString(),
    data,
  };
  return `curl -s -H 'authorization: Bearer ${key}' -H 'content-type: application/cloudevents+json' \\\n  -d '${JSON.stringify(event).replaceAll("'", "'\\''")}' ${window.location.origin}/events`;
}
