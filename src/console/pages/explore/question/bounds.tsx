import { Button, Group, NumberInput, Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { readTime } from '../../../api/moment.js';
import type { BuilderProps } from './builder.js';
import { Add, Chip } from './chip.js';
import { MEASURES, MEMBER_WORDS, type Having, type Measure } from './vocabulary.js';
import { boundsOf, boundWords, type Bound } from './words.js';

/** Bounds of measures: groups outside of them are left out. */
export function Bounds({ search: { measures = ['calls'], having }, onChange, problem }: BuilderProps) {
  const bounds = boundsOf(having);
  const change = (next: readonly Bound[]): void => onChange({ measures, having: havingOf(next) });
  const others = (bound: Bound): Bound[] =>
    bounds.filter(({ measure, member }) => measure !== bound.measure || member !== bound.member);
  return (
    <>
      {bounds.map((bound) => (
        <Chip
          key={`${bound.measure} ${bound.member}`}
          name={`Only groups: ${boundWords(bound)}`}
          says={boundWords(bound)}
          problem={problem?.field === 'having' ? problem.says : undefined}
          onRemove={() => change(others(bound))}
          renderForm={(close) => (
            <BoundForm
              before={bound}
              measures={measures}
              onDone={(next) => {
                change([...others(bound), next]);
                close();
              }}
            />
          )}
        />
      ))}
      <Add
        label="Only groups with…"
        renderForm={(close) => (
          <BoundForm
            measures={measures}
            onDone={(next) => {
              change([...others(next), next]);
              close();
            }}
          />
        )}
      />
    </>
  );
}

function havingOf(bounds: readonly Bound[]): Having | undefined {
  const having: Record<string, Record<string, string | number>> = {};
  for (const { measure, member, said } of bounds) having[measure] = { ...having[measure], [member]: said };
  return bounds.length === 0 ? undefined : having;
}

interface BoundFormProps {
  readonly before?: Bound;
  readonly measures: readonly Measure[];
  readonly onDone: (bound: Bound) => void;
}

function BoundForm({ before, measures, onDone }: BoundFormProps) {
  const [measure, setMeasure] = useState<Measure>(before?.measure ?? measures[0]!);
  const { isTime = false } = MEASURES[measure];
  const members = isTime ? (['from', 'to'] as const) : (['min', 'max'] as const);
  const [chosen, setChosen] = useState<Bound['member']>(before?.member ?? 'min');
  const [said, setSaid] = useState<string | number>(before?.said ?? '');
  const member = members.find((one) => one === chosen) ?? members[0];
  const isWhole = isTime ? readTime(said) !== undefined : typeof said === 'number';
  return (
    <form
      aria-label="A bound"
      onSubmit={(event) => {
        event.preventDefault();
        if (isWhole) onDone({ measure, member, said });
      }}
    >
      <Stack gap="xs" w={240}>
        <Select
          label="Only groups with"
          data={measures.map((value) => ({ value, label: MEASURES[value].label }))}
          value={measure}
          onChange={(value) => {
            setMeasure(value as Measure);
            setSaid('');
          }}
          allowDeselect={false}
          comboboxProps={{ withinPortal: false }}
        />
        <Select
          label="Condition"
          data={members.map((value) => ({ value, label: MEMBER_WORDS[value] }))}
          value={member}
          onChange={(value) => setChosen(value as Bound['member'])}
          allowDeselect={false}
          comboboxProps={{ withinPortal: false }}
        />
        {isTime ? (
          <TextInput
            label="Value"
            description="Such as 2026-11-24T09:00:00Z, or 7d: seven days ago"
            value={said}
            onChange={({ currentTarget: { value } }) => setSaid(value)}
          />
        ) : (
          <NumberInput
            size="xs"
            label="Value"
            value={said}
            onChange={(value) => setSaid(value)}
            min={0}
            allowDecimal={false}
            thousandSeparator
          />
        )}
        <Group justify="flex-end">
          <Button type="submit" disabled={!isWhole}>
            {before === undefined ? 'Add' : 'Change'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
