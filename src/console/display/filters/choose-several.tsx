import { MultiSelect } from '@mantine/core';

interface ChooseSeveralProps<Value extends string> {
  readonly label: string;
  readonly of: readonly Value[];
  readonly chosen: readonly Value[] | undefined;
  /** Called with undefined when nothing is chosen, which filters nothing. */
  readonly onChange: (chosen: Value[] | undefined) => void;
  /** Whether there are so many that one types to find one. */
  readonly isLong?: boolean;
}

/** A filter that lets several values through, or any if none is chosen. */
export function ChooseSeveral<Value extends string>({
  label,
  of,
  chosen = [],
  onChange,
  isLong = false,
}: ChooseSeveralProps<Value>) {
  return (
    <MultiSelect
      aria-label={label}
      placeholder={chosen.length === 0 ? `Any ${label.toLowerCase()}` : ''}
      data={[...of]}
      value={[...chosen]}
      onChange={(value) => onChange(value.length === 0 ? undefined : (value as Value[]))}
      searchable={isLong}
      clearable
      miw={isLong ? 200 : 160}
      maw={isLong ? 400 : 320}
    />
  );
}
