import {
  Autocomplete,
  Button,
  Group,
  MultiSelect,
  NumberInput,
  Select,
  Stack,
  TagsInput,
  TextInput,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { useNames } from './queries.js';
import {
  DIMENSION_NAMES,
  DIMENSIONS,
  isList,
  MEMBER_WORDS,
  type Dimension,
  type Member,
  type Said,
} from './vocabulary.js';
import type { Condition } from './words.js';

interface ConditionFormProps {
  readonly before?: Condition;
  readonly mayAsk: (dimension: Dimension) => boolean;
  readonly onDone: (condition: Condition) => void;
}

/** Makes or changes one condition. */
export function ConditionForm({ before, mayAsk, onDone }: ConditionFormProps) {
  const [dimension, setDimension] = useState<Dimension>(before?.dimension ?? 'operation');
  const [member, setMember] = useState<Member>(before?.member ?? 'equals');
  const [said, setSaid] = useState<Said | undefined>(before?.said);
  // One name of several comes from a group, by its id; nobody types it.
  const members = DIMENSIONS[dimension].members.filter((one) => one !== 'entity' || before?.member === one);
  const choose = (next: Member): void => {
    setMember(next);
    const values = [said].flat().filter((one) => typeof one !== 'boolean' && one !== undefined);
    if (next === 'missing') setSaid(true);
    else if (isList(next)) setSaid(values.length === 0 ? undefined : (values as (string | number)[]));
    else setSaid(values[0]);
  };
  return (
    <form
      aria-label="A condition"
      onSubmit={(event) => {
        event.preventDefault();
        if (said !== undefined) onDone({ dimension, member, said });
      }}
    >
      <Stack gap="xs" w={260}>
        <Select
          label="Filter by"
          data={DIMENSION_NAMES.filter(mayAsk).map((value) => ({ value, label: DIMENSIONS[value].label }))}
          value={dimension}
          onChange={(value) => {
            const next = value as Dimension;
            setDimension(next);
            setSaid(undefined);
            if (!DIMENSIONS[next].members.includes(member) || member === 'missing') setMember('equals');
          }}
          allowDeselect={false}
          searchable
          openOnFocus={false}
          comboboxProps={{ withinPortal: false }}
        />
        <Select
          label="Condition"
          data={members.map((value) => ({ value, label: MEMBER_WORDS[value] }))}
          value={member}
          onChange={(value) => choose(value as Member)}
          allowDeselect={false}
          comboboxProps={{ withinPortal: false }}
        />
        <Value dimension={dimension} member={member} said={said} onChange={setSaid} />
        <Group justify="flex-end">
          <Button type="submit" disabled={said === undefined}>
            {before === undefined ? 'Add' : 'Change'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface ValueProps {
  readonly dimension: Dimension;
  readonly member: Member;
  readonly said: Said | undefined;
  readonly onChange: (said: Said | undefined) => void;
}

function Value(props: ValueProps) {
  const { dimension, member, said, onChange } = props;
  const { values, isNumber, isTime } = DIMENSIONS[dimension];
  const list = Array.isArray(said) ? said.map(String) : [];
  if (member === 'missing')
    return (
      <Select
        label="Uses"
        data={[
          { value: 'true', label: 'without a value' },
          { value: 'false', label: 'with a value' },
        ]}
        value={String(said ?? true)}
        onChange={(value) => onChange(value === 'true')}
        allowDeselect={false}
        comboboxProps={{ withinPortal: false }}
      />
    );
  if (isList(member)) {
    const change = (next: string[]): void =>
      onChange(next.length === 0 ? undefined : isNumber ? next.map(Number).filter(Number.isInteger) : next);
    return values === undefined ? (
      <TagsInput label="Values" description="Enter adds one" value={list} onChange={change} maxTags={100} />
    ) : (
      <MultiSelect
        label="Values"
        data={values}
        value={list}
        onChange={change}
        comboboxProps={{ withinPortal: false }}
      />
    );
  }
  if (values !== undefined)
    return (
      <Select
        label="Value"
        data={values}
        value={said === undefined ? null : String(said)}
        onChange={(value) => onChange(value ?? undefined)}
        comboboxProps={{ withinPortal: false }}
      />
    );
  if (isNumber)
    return (
      <NumberInput
        size="xs"
        label="Value"
        value={said === undefined ? '' : Number(said)}
        onChange={(value) => onChange(value === '' ? undefined : Number(value))}
        min={0}
        allowDecimal={false}
      />
    );
  const text = said === undefined ? '' : String(said);
  if (isTime)
    return (
      <TextInput
        label="Value"
        description="Such as 2026-11-24T09:00:00Z, or 7d: seven days ago"
        value={text}
        onChange={({ currentTarget: { value } }) => onChange(value === '' ? undefined : value)}
      />
    );
  return <NameValue {...props} said={text} />;
}

const TYPING_MS = 200;

/** A name, with those that the search knows. */
function NameValue({ dimension, member, said, onChange }: ValueProps & { readonly said: string }) {
  const [asked] = useDebouncedValue(said.trim(), TYPING_MS);
  const { data } = useNames(dimension, member === 'equals' ? asked : '');
  const names = [...new Set((data?.items ?? []).filter(({ kind }) => kind === dimension).map(({ name }) => name))];
  return (
    <Autocomplete
      size="xs"
      label="Value"
      value={said}
      data={names}
      onChange={(value) => onChange(value === '' ? undefined : value)}
      comboboxProps={{ withinPortal: false }}
      data-autofocus
    />
  );
}
