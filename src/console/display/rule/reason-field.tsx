import { Textarea } from '@mantine/core';

const MOST_CHARACTERS = 1_024;

interface ReasonFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (reason: string) => void;
  readonly disabled: boolean;
  /** The field takes the focus when its dialog opens. */
  readonly isFirst?: boolean;
}

/** The reason of an order or a lift, which the ledger keeps. */
export function ReasonField({ label, value, onChange, disabled, isFirst = false }: ReasonFieldProps) {
  return (
    <Textarea
      label={label}
      description="It is kept in the ledger. It must hold no token and no secret."
      value={value}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
      maxLength={MOST_CHARACTERS}
      required
      autosize
      minRows={2}
      disabled={disabled}
      {...(isFirst ? { 'data-autofocus': true } : {})}
    />
  );
}
