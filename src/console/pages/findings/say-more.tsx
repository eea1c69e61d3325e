import { Button, Checkbox, Group, Modal, Select, Stack, Text, Textarea } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { countText } from '../../display/numbers.js';
import type { Finding, FindingChange } from './queries.js';

/** States that need more than a click. */
export type Asked = 'false-alarm' | 'muted';

type Name = NonNullable<FindingChange['same']>[number];
const NAMES: readonly Name[] = ['user', 'client', 'agent', 'resource', 'source'];

const ENDS = [
  { value: '24h', label: 'for a day' },
  { value: '7d', label: 'for a week' },
  { value: '30d', label: 'for 30 days' },
  { value: '90d', label: 'for 90 days' },
];

interface SayMoreProps {
  readonly asked: Asked | undefined;
  readonly findings: readonly Finding[];
  readonly isBusy: boolean;
  readonly onSay: (change: FindingChange) => Promise<void>;
  readonly onClose: () => void;
}

/** Asks for the reason of a false alarm or a mute, and for its end. */
export function SayMore({ asked, onClose, ...rest }: SayMoreProps) {
  return (
    <Modal
      opened={asked !== undefined}
      onClose={onClose}
      title={asked === 'muted' ? 'Mute' : 'False alarm'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {asked && <Form asked={asked} onClose={onClose} {...rest} />}
    </Modal>
  );
}

function Form({ asked, findings, isBusy, onSay, onClose }: SayMoreProps & { readonly asked: Asked }) {
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState<string | null>(asked === 'muted' ? '7d' : null);
  const [same, setSame] = useState<string[]>([]);
  const [only] = findings.length === 1 ? findings : [];
  const names = only ? NAMES.filter((name) => only[name] !== null) : [];
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const wide = NAMES.filter((name) => same.includes(name));
    void onSay({
      state: asked,
      reason: reason.trim(),
      ...(until === null ? {} : { until }),
      ...(wide.length === 0 ? {} : { same: wide }),
    });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Text size="sm">
          {asked === 'muted'
            ? 'A muted finding is not open until the mute ends.'
            : 'New evidence opens a false alarm again, but not before its end if you choose one.'}{' '}
          {findings.length > 1 && `This is said of ${countText(findings.length)} findings.`}
        </Text>
        <Textarea
          label="Reason"
          description="Kept in the ledger. Name no secret."
          value={reason}
          onChange={({ currentTarget }) => setReason(currentTarget.value)}
          maxLength={1024}
          autosize
          minRows={2}
          required
          data-autofocus
        />
        <Select
          label="How long"
          placeholder="until new evidence comes"
          data={ENDS}
          value={until}
          onChange={setUntil}
          clearable={asked === 'false-alarm'}
          allowDeselect={asked === 'false-alarm'}
        />
        {asked === 'muted' && names.length > 0 && (
          <Checkbox.Group
            label="Mute others too"
            description="Findings of this kind, present and later, that have the same:"
            value={same}
            onChange={setSame}
          >
            <Group mt={6} gap="md">
              {names.map((name) => (
                <Checkbox key={name} size="xs" value={name} label={name} />
              ))}
            </Group>
          </Checkbox.Group>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={isBusy} disabled={reason.trim() === ''}>
            {asked === 'muted' ? 'Mute' : 'Mark as false alarm'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
