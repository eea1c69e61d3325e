import { Group, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { readTime } from '../../../api/moment.js';
import type { Window } from './search.js';
import type { BuilderProps } from './builder.js';
import { DEFAULT_FROM, isSame, SPANS, windowBefore, windowText } from './windows.js';

const OWN = 'own';

/** Chooses the window: a span that ends now, or two times. */
export function WindowField({ search, onChange, problem }: BuilderProps) {
  const { from = DEFAULT_FROM, to, compare } = search;
  const isSpan = to === undefined && SPANS.some((span) => span.from === from);
  const [isOpen, setIsOpen] = useState(!isSpan);
  const change = (window: Partial<Window>): void => {
    // A comparison with the window before goes along.
    const follows = compare !== undefined && isSame(compare, windowBefore({ from, to }));
    onChange({ ...window, ...(follows ? { compare: windowBefore(window) } : {}) });
  };
  const error = problem?.field === 'window' ? problem.says : undefined;
  const own = isOpen || !isSpan;
  return (
    <Group gap={4} align="flex-start" wrap="nowrap">
      <Select
        label="Window"
        data={[...SPANS.map(({ from: value, label }) => ({ value, label })), { value: OWN, label: 'From … to …' }]}
        value={own ? OWN : from}
        onChange={(value) => {
          setIsOpen(value === OWN);
          if (value !== OWN && value !== null) change({ from: value, to: undefined });
        }}
        error={own ? undefined : error}
        allowDeselect={false}
        w={136}
      />
      {own && (
        <>
          <TimeField
            label="From"
            value={from}
            onChange={(value) => change({ from: value ?? DEFAULT_FROM, to })}
            error={error}
          />
          <TimeField label="To" value={to} onChange={(value) => change({ from, to: value })} placeholder="now" />
        </>
      )}
    </Group>
  );
}

/** Chooses the window that is compared with it. */
export function CompareField({ search, onChange, problem }: BuilderProps) {
  const { from = DEFAULT_FROM, to, compare } = search;
  const before = windowBefore({ from, to });
  const isBefore = compare !== undefined && isSame(compare, before);
  const error = problem?.field === 'compare' ? problem.says : undefined;
  const own = compare !== undefined && !isBefore;
  return (
    <Group gap={4} align="flex-start" wrap="nowrap">
      <Select
        label="Compared with"
        placeholder="Nothing"
        data={[
          ...(before === undefined ? [] : [{ value: 'before', label: 'The window before' }]),
          { value: OWN, label: own ? windowText(compare) : 'From … to …' },
        ]}
        value={compare === undefined ? null : isBefore ? 'before' : OWN}
        onChange={(value) => {
          if (value === null) onChange({ compare: undefined, order: undefined });
          else if (value === 'before') onChange({ compare: before });
          else onChange({ compare: compare ?? { from: '60d', to: DEFAULT_FROM } });
        }}
        error={own ? undefined : error}
        clearable
        w={168}
      />
      {own && (
        <>
          <TimeField
            label="From"
            name="Compared from"
            value={compare.from}
            onChange={(value) => value && onChange({ compare: { ...compare, from: value } })}
            error={error}
          />
          <TimeField
            label="To"
            name="Compared to"
            value={compare.to}
            onChange={(value) => value && onChange({ compare: { ...compare, to: value } })}
          />
        </>
      )}
    </Group>
  );
}

interface TimeFieldProps {
  readonly label: string;
  /** Names the field for those who hear it, if its label does not tell it from others. */
  readonly name?: string;
  readonly value: string | undefined;
  readonly placeholder?: string;
  readonly error?: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}

const FORMS = 'Such as 2026-11-24T09:00:00Z, or 7d: seven days ago';

/** A time that takes effect when the field is left or Enter is pressed. */
function TimeField({ label, name = label, value = '', placeholder, error, onChange }: TimeFieldProps) {
  const [typed, setTyped] = useState<string>();
  const text = typed ?? value;
  const isRead = text === '' || readTime(text) !== undefined;
  const commit = (): void => {
    if (typed === undefined || !isRead) return;
    setTyped(undefined);
    if (typed !== value) onChange(typed === '' ? undefined : typed);
  };
  return (
    <TextInput
      label={label}
      aria-label={name}
      value={text}
      placeholder={placeholder ?? '7d'}
      error={isRead ? error : FORMS}
      onChange={({ currentTarget }) => setTyped(currentTarget.value.trim())}
      onBlur={commit}
      onKeyDown={({ key }) => key === 'Enter' && commit()}
      w={152}
    />
  );
}
