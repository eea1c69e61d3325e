import { Button, Group, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { msOf, timeOf, useMoments, type MomentSearch } from '../../api/moment.js';
import { zoneText } from '../../display/times.js';
import { NOW, useGo } from './use-go.js';

const QUICK = [
  { label: 'An hour ago', back: '1h' },
  { label: 'Yesterday', back: '1d' },
  { label: 'A week ago', back: '7d' },
] as const;
const WAYS = [
  { value: 'now', label: 'Now' },
  { value: 'moment', label: 'A moment' },
  { value: 'compare', label: 'Compare' },
] as const;
type Way = (typeof WAYS)[number]['value'];

/** Chooses now, a moment, or two moments to compare. */
export function TimeForm({ onDone }: { readonly onDone: () => void }) {
  const { at, against } = useMoments();
  const [way, setWay] = useState<Way>(against === undefined ? 'moment' : 'compare');
  const go = useGo();
  const show = (moments: MomentSearch): void => {
    go({ ...NOW, ...moments });
    onDone();
  };
  return (
    <Stack gap="sm">
      <SegmentedControl
        aria-label="Which time"
        size="xs"
        fullWidth
        data={[...WAYS]}
        value={way}
        onChange={(value) => setWay(value as Way)}
      />
      {way === 'now' && (
        <Group justify="space-between">
          <Text size="sm">Pages follow what happens.</Text>
          <Button disabled={at === undefined && against === undefined} onClick={() => show(NOW)}>
            Show now
          </Button>
        </Group>
      )}
      {way === 'moment' && <OneMoment at={at} onShow={show} />}
      {way === 'compare' && <TwoMoments at={at} against={against} onShow={show} />}
    </Stack>
  );
}

interface OneMomentProps {
  readonly at: string | undefined;
  readonly onShow: (moments: MomentSearch) => void;
}

function OneMoment({ at, onShow }: OneMomentProps) {
  const [text, setText] = useState(() => localText(at ?? timeOf(Date.now())));
  const [refused, setRefused] = useState<string>();
  return (
    <form
      aria-label="A moment"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const ms = Date.parse(text);
        if (Number.isNaN(ms)) setRefused('Say a date and a time.');
        else if (ms > Date.now()) setRefused('This moment lies ahead.');
        else onShow({ at: timeOf(ms) });
      }}
    >
      <Stack gap="sm">
        <Quick onChoose={(back) => onShow({ at: timeOf(msOf(back, Date.now())) })} />
        <Field label="Moment" value={text} onChange={setText} error={refused} />
        <Button type="submit">Show this moment</Button>
      </Stack>
    </form>
  );
}

function TwoMoments({ at, against, onShow }: OneMomentProps & { readonly against: string | undefined }) {
  const [earlier, setEarlier] = useState(() => localText(against ?? timeOf(msOf('1d', Date.now()))));
  const [later, setLater] = useState(() => (at === undefined ? '' : localText(at)));
  const [refused, setRefused] = useState<string>();
  return (
    <form
      aria-label="Two moments"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const from = Date.parse(earlier);
        const to = later === '' ? Date.now() : Date.parse(later);
        if (Number.isNaN(from) || Number.isNaN(to)) setRefused('Say a date and a time.');
        else if (to > Date.now()) setRefused('The later moment lies ahead.');
        else if (from >= to) setRefused('The earlier moment is not before the later one.');
        else onShow({ against: timeOf(from), ...(later === '' ? {} : { at: timeOf(to) }) });
      }}
    >
      <Stack gap="sm">
        <Quick onChoose={(back) => onShow({ against: timeOf(msOf(back, Date.now())) })} />
        <Field label="Earlier moment" value={earlier} onChange={setEarlier} error={refused} />
        <Field label="Later moment; empty: now" value={later} onChange={setLater} />
        <Button type="submit">Show the difference</Button>
      </Stack>
    </form>
  );
}

function Quick({ onChoose }: { readonly onChoose: (back: string) => void }) {
  return (
    <Group gap={4} grow wrap="nowrap" preventGrowOverflow={false}>
      {QUICK.map(({ label, back }) => (
        <Button key={back} variant="default" size="compact-xs" px={4} onClick={() => onChoose(back)}>
          {label}
        </Button>
      ))}
    </Group>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly error?: string | undefined;
}

function Field({ label, value, onChange, error }: FieldProps) {
  return (
    <TextInput
      type="datetime-local"
      step={1}
      label={label}
      description={`In the zone of this browser, ${zoneText(value)}`}
      value={value}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
      error={error}
    />
  );
}

/** The time as a field has it: in the zone of the browser, without saying so. */
function localText(time: string): string {
  const date = new Date(time);
  return timeOf(date.getTime() - date.getTimezoneOffset() * 60_000).slice(0, -1);
}
