import { Autocomplete, Button, Group, Select, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import type { Selector } from '../../api/rules.js';
import { Sentence } from '../../display/name.js';
import { FORMS, IDENTIFIERS } from './search.js';
import { selectorOfFound, useSuggestions, type Found } from './queries.js';

type Member = keyof typeof FORMS | (typeof IDENTIFIERS)[number];

const LABELS: Readonly<Record<Member, string>> = {
  user: 'user',
  client: 'client',
  agent: 'agent',
  agent_type: 'agents of a type',
  resource: 'resource',
  issuer: 'everything of an issuer',
  token: 'token',
  id_jag: 'ID-JAG',
  session: 'session',
};
const NAMES: Readonly<Record<string, string>> = {
  iss: 'Issuer',
  sub: 'Subject (sub)',
  client_id: 'Client id',
  id: 'Agent id',
  sid: 'Session id (sid)',
  jti: 'Token id (jti)',
};
const TYPING_MS = 200;

const isPlain = (member: Member): member is (typeof IDENTIFIERS)[number] =>
  (IDENTIFIERS as readonly string[]).includes(member);

/** Chooses a member of the selector: by a name that the search knows, or by names that somebody types. */
export function Picker({ onChoose }: { readonly onChoose: (selector: Selector) => void }) {
  return (
    <>
      <Suggested onChoose={onChoose} />
      <Typed onChoose={onChoose} />
    </>
  );
}

function Suggested({ onChoose }: { readonly onChoose: (selector: Selector) => void }) {
  const [text, setText] = useState('');
  const [asked] = useDebouncedValue(text.trim(), TYPING_MS);
  const { data } = useSuggestions(asked);
  const found = (data?.items ?? []).filter((item) => selectorOfFound(item) !== undefined);
  return (
    <Autocomplete
      size="xs"
      label="Name"
      placeholder="Begin to type a user, client, agent or resource"
      value={text}
      onChange={setText}
      data={found.map(({ kind, id }) => `${kind} ${id}`)}
      filter={({ options }) => options}
      renderOption={({ option }) => <Option item={found.find(({ kind, id }) => `${kind} ${id}` === option.value)} />}
      onOptionSubmit={(value) => {
        const item = found.find(({ kind, id }) => `${kind} ${id}` === value);
        const selector = item && selectorOfFound(item);
        if (selector !== undefined) onChoose(selector);
      }}
      clearable
    />
  );
}

function Option({ item }: { readonly item: Found | undefined }) {
  if (item === undefined) return null;
  return (
    <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
      <Text span size="xs" c="dimmed">
        {LABELS[item.kind as Member] ?? item.kind}{' '}
      </Text>
      <Sentence>{item.display_name ?? item.name}</Sentence>
      {item.iss !== null && (
        <Text span size="xs" c="dimmed">
          {' '}
          of <Sentence>{item.iss}</Sentence>
        </Text>
      )}
    </Text>
  );
}

function Typed({ onChoose }: { readonly onChoose: (selector: Selector) => void }) {
  const [member, setMember] = useState<Member>('user');
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const names = isPlain(member) ? [member] : FORMS[member][0].needed;
  const given = Object.fromEntries(names.map((name) => [name, (values[name] ?? '').trim()]));
  const isWhole = names.every((name) => given[name] !== '');
  return (
    <form
      aria-label="Exact names"
      onSubmit={(event) => {
        event.preventDefault();
        onChoose({ [member]: isPlain(member) ? given[member] : given } as Selector);
        setValues({});
      }}
    >
      <Group gap="xs" align="flex-end">
        <Select
          label="Or exactly"
          data={Object.entries(LABELS).map(([value, label]) => ({ value, label }))}
          value={member}
          onChange={(value) => setMember((value ?? 'user') as Member)}
          allowDeselect={false}
          w={180}
        />
        {names.map((name) => (
          <TextInput
            key={name}
            size="xs"
            label={NAMES[name] ?? 'Name'}
            value={values[name] ?? ''}
            onChange={({ currentTarget: { value } }) => setValues((before) => ({ ...before, [name]: value }))}
            w={220}
          />
        ))}
        <Button type="submit" variant="default" disabled={!isWhole}>
          Add
        </Button>
      </Group>
    </form>
  );
}
