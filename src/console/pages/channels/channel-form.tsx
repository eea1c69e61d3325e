import { Button, Group, MultiSelect, PasswordInput, Select, Stack, Switch, TagsInput, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { KINDS, SEVERITIES } from '../../display/findings/finding-words.js';
import { Failed } from '../../display/states.js';
import { inputOf, KIND_WORDS, NEWS, writtenOf, type ChannelKind, type News, type Written } from './inputs.js';
import { usePutChannel, type Channel } from './queries.js';

interface ChannelFormProps {
  /** Absent: a new channel. */
  readonly channel?: Channel;
  readonly onSaved: (changed: { readonly name: string; readonly secret?: string }) => void;
  readonly onCancel?: () => void;
}

export function ChannelForm({ channel, onSaved, onCancel }: ChannelFormProps) {
  const [written, setWritten] = useState(writtenOf(channel));
  const { mutate, error, isPending, isSuccess } = usePutChannel();
  const write = (change: Partial<Written>): void => setWritten((before) => ({ ...before, ...change }));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    mutate(
      { params: { path: { name: written.name } }, body: inputOf(written) },
      {
        onSuccess(changed) {
          write({ address: '', routingKey: '' });
          onSaved(changed);
        },
      },
    );
  };
  return (
    <form onSubmit={submit} aria-label={channel ? `Channel ${channel.name}` : 'New channel'}>
      <Stack gap="sm">
        {channel === undefined && (
          <>
            <TextInput
              label="Name"
              description="Lower-case letters, digits and hyphens"
              value={written.name}
              onChange={({ currentTarget }) => write({ name: currentTarget.value })}
              pattern="[a-z0-9\-]{1,63}"
              required
              data-autofocus
            />
            <Select
              label="Kind"
              data={Object.entries(KIND_WORDS).map(([value, { label }]) => ({ value, label }))}
              value={written.kind}
              onChange={(kind) => kind && write({ kind: kind as ChannelKind })}
              allowDeselect={false}
            />
          </>
        )}
        <Receiver written={written} channel={channel} onWrite={write} />
        <Filters written={written} onWrite={write} />
        <Switch
          label="On"
          size="xs"
          description="A channel that is off gets no news, also not later."
          checked={written.enabled}
          onChange={({ currentTarget }) => write({ enabled: currentTarget.checked })}
        />
        {error !== null && <Failed error={error} />}
        <Group justify="flex-end" gap="xs">
          {onCancel && (
            <Button variant="default" onClick={onCancel}>
              Cancel
            </Button>
          )}
          <Button type="submit" loading={isPending}>
            {channel === undefined ? 'Create' : isSuccess ? 'Saved' : 'Save'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface PartProps {
  readonly written: Written;
  readonly onWrite: (change: Partial<Written>) => void;
}

function Receiver({ written, channel, onWrite }: PartProps & { readonly channel: Channel | undefined }) {
  const { kind, address, routingKey, format } = written;
  const { address: what, example, hasFormat, hasRoutingKey } = KIND_WORDS[kind];
  const isNew = channel === undefined;
  return (
    <>
      {hasRoutingKey && (
        <PasswordInput
          label="Integration key"
          description={isNew ? 'Of an integration with Events API v2' : 'Leave it empty to keep the key'}
          value={routingKey}
          onChange={({ currentTarget }) => onWrite({ routingKey: currentTarget.value })}
          required={isNew}
          autoComplete="off"
          visibilityToggleButtonProps={{ 'aria-label': 'Show the key' }}
        />
      )}
      <TextInput
        label={what}
        description={isNew ? '' : `Now ${channel.target}; leave it empty to keep the address`}
        placeholder={example}
        value={address}
        onChange={({ currentTarget }) => onWrite({ address: currentTarget.value.trim() })}
        required={isNew && !hasRoutingKey}
        autoComplete="off"
      />
      {hasFormat && (
        <Select
          label="Messages"
          placeholder={isNew ? 'The finding as the API answers it' : 'As they are'}
          data={[
            { value: 'json', label: 'The finding as the API answers it' },
            { value: 'ocsf', label: 'An OCSF Detection Finding' },
          ]}
          value={format === '' ? null : format}
          onChange={(value) => onWrite({ format: (value ?? '') as Written['format'] })}
          clearable
        />
      )}
    </>
  );
}

function Filters({ written, onWrite }: PartProps) {
  const { severity, kinds, news, tags } = written;
  return (
    <>
      <Select
        label="Severity"
        data={SEVERITIES.map((value) => ({
          value,
          label: value === 'info' ? 'any' : `${value}${value === 'critical' ? '' : ' or higher'}`,
        }))}
        value={severity}
        onChange={(value) => value && onWrite({ severity: value })}
        allowDeselect={false}
      />
      <MultiSelect
        label="Kinds"
        placeholder={kinds.length === 0 ? 'any' : ''}
        data={KINDS}
        value={kinds}
        onChange={(value) => onWrite({ kinds: value })}
        searchable
        clearable
      />
      <MultiSelect
        label="News"
        placeholder={news.length === 0 ? 'any' : ''}
        data={NEWS}
        value={[...news]}
        onChange={(value) => onWrite({ news: value as News[] })}
        clearable
      />
      <TagsInput
        label="Tags"
        description="Only findings about somebody or something with one of these tags in the directory"
        placeholder={tags.length === 0 ? 'any' : ''}
        value={[...tags]}
        onChange={(value) => onWrite({ tags: value })}
        clearable
      />
    </>
  );
}
