import { Button, Checkbox, Group, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { problemOf } from '../../api/problem.js';

interface ViewFormProps {
  readonly before?: { readonly name: string; readonly shared: boolean };
  readonly error: unknown;
  readonly isPending: boolean;
  readonly onSave: (said: { readonly name: string; readonly shared: boolean }) => void;
}

const MAX_NAME = 100;

/** The name of a view, and who sees it. */
export function ViewForm({ before, error, isPending, onSave }: ViewFormProps) {
  const [name, setName] = useState(before?.name ?? '');
  const [shared, setShared] = useState(before?.shared ?? false);
  const problem = error === null ? undefined : problemOf(error);
  return (
    <form
      aria-label="The view"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== '') onSave({ name: name.trim(), shared });
      }}
    >
      <Stack gap="sm">
        <TextInput
          label="Name"
          value={name}
          onChange={({ currentTarget: { value } }) => setName(value)}
          error={problem && (problem.detail ?? problem.title)}
          maxLength={MAX_NAME}
          data-autofocus
        />
        <Checkbox
          label="Shared with everybody of the tenant who may look"
          checked={shared}
          onChange={({ currentTarget: { checked } }) => setShared(checked)}
        />
        <Text size="xs" c="dimmed">
          A view is the address of this page: its filters, its order and its time. What it shows is asked anew.
        </Text>
        <Group justify="flex-end">
          <Button type="submit" loading={isPending} disabled={name.trim() === ''}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
