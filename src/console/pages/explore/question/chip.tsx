import { Button, CloseButton, Group, Popover, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';

interface ChipProps {
  /** Names the chip for those who hear it. */
  readonly name: string;
  readonly says: ReactNode;
  /** Refusal of the API. */
  readonly problem?: string | undefined;
  readonly onRemove: () => void;
  /** The form that changes it. */
  readonly renderForm: (close: () => void) => ReactNode;
}

/** A condition: chosen, it can be changed; the cross takes it away. */
export function Chip({ name, says, problem, onRemove, renderForm }: ChipProps) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <div>
      <Group gap={0} wrap="nowrap">
        <Popover opened={isOpen} onChange={setIsOpen} position="bottom-start" withinPortal trapFocus returnFocus>
          <Popover.Target>
            <Button
              variant="light"
              color={problem === undefined ? 'steel' : 'red'}
              size="compact-sm"
              fz="xs"
              fw={400}
              aria-label={name}
              aria-invalid={problem !== undefined}
              onClick={() => setIsOpen((before) => !before)}
              maw="min(420px, 80vw)"
            >
              {says}
            </Button>
          </Popover.Target>
          <Popover.Dropdown p="xs">{renderForm(() => setIsOpen(false))}</Popover.Dropdown>
        </Popover>
        <CloseButton size="sm" aria-label={`Remove: ${name}`} onClick={onRemove} />
      </Group>
      {problem !== undefined && (
        <Text size="xs" c="red" role="alert" maw={420}>
          {problem}
        </Text>
      )}
    </div>
  );
}

/** A button that opens a form. */
export function Add({
  label,
  renderForm,
}: {
  readonly label: string;
  readonly renderForm: (close: () => void) => ReactNode;
}) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Popover opened={isOpen} onChange={setIsOpen} position="bottom-start" withinPortal trapFocus returnFocus>
      <Popover.Target>
        <Button
          variant="default"
          size="compact-sm"
          fz="xs"
          fw={500}
          aria-expanded={isOpen}
          onClick={() => setIsOpen((before) => !before)}
        >
          + {label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs">{renderForm(() => setIsOpen(false))}</Popover.Dropdown>
    </Popover>
  );
}
