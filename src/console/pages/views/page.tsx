import { Anchor, Button, Group, Modal, Stack, Text, Title } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { DataTable, type Columns } from '../../display/data-table.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { hrefOf, ownerText, useChangeView, useRemoveView, useViews, type View } from '../../display/views/queries.js';
import { ViewForm } from '../../display/views/view-form.js';

/** Views that were saved: one's own, and those that others share. */
export function ViewsPage() {
  return (
    <Stack gap="sm">
      <Title order={1}>Saved views</Title>
      <ViewTable />
    </Stack>
  );
}

function ViewTable() {
  const { data, error, isPending, refetch } = useViews();
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  if (data.views.length === 0)
    return (
      <Empty title="No view">
        The star at the top of every page saves what it shows under a name, for you or for everybody of the tenant.
      </Empty>
    );
  return <DataTable label="Saved views" rows={data.views} columns={COLUMNS} wide={WIDE} keyOf={keyOf} />;
}

const keyOf = ({ id }: View): string => id;

function ViewName({ of: view }: { readonly of: View }) {
  const router = useRouter();
  return (
    <Anchor
      inherit
      href={hrefOf(view)}
      onClick={(event) => {
        event.preventDefault();
        router.history.push(hrefOf(view));
      }}
    >
      <Name>{view.name}</Name>
    </Anchor>
  );
}

const COLUMNS: Columns<View> = [
  { id: 'name', header: 'Name', cell: ({ row }) => <ViewName of={row.original} /> },
  {
    id: 'page',
    header: 'Page',
    cell: ({ row }) => <Name>{row.original.page}</Name>,
  },
  {
    id: 'owner',
    header: 'Owner',
    cell: ({ row }) => (row.original.mine ? 'you' : <Name>{ownerText(row.original)}</Name>),
  },
  { id: 'shared', header: 'Seen by', cell: ({ row }) => (row.original.shared ? 'everybody' : 'its owner') },
  { id: 'updated', header: 'Changed', cell: ({ row }) => <Moment at={row.original.updated_at} stacked /> },
  { id: 'actions', header: '', cell: ({ row }) => row.original.may_change && <Actions of={row.original} /> },
];

/** Columns that a phone has no room for. */
const WIDE = ['page', 'owner', 'updated'];

function Actions({ of: view }: { readonly of: View }) {
  const [open, setOpen] = useState<'change' | 'remove'>();
  const change = useChangeView();
  const remove = useRemoveView();
  const close = (): void => {
    setOpen(undefined);
    change.reset();
    remove.reset();
  };
  const { id, page, search, name, shared } = view;
  const params = { path: { id } };
  return (
    <>
      <Group gap={4} justify="flex-end" wrap="nowrap">
        <Button size="compact-xs" variant="default" aria-label={`Change ${name}`} onClick={() => setOpen('change')}>
          Change
        </Button>
        <Button size="compact-xs" variant="default" aria-label={`Remove ${name}`} onClick={() => setOpen('remove')}>
          Remove
        </Button>
      </Group>
      <Modal
        opened={open === 'change'}
        onClose={close}
        title="Change the view"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <ViewForm
          before={{ name, shared }}
          error={change.error}
          isPending={change.isPending}
          onSave={(said) => change.mutate({ params, body: { page, search, ...said } }, { onSuccess: close })}
        />
      </Modal>
      <Modal
        opened={open === 'remove'}
        onClose={close}
        title="Remove the view"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack gap="sm">
          <Text size="sm">
            <Name>{name}</Name> is gone then{shared ? ', for everybody' : ''}.
          </Text>
          {remove.error !== null && <Failed error={remove.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Keep it
            </Button>
            <Button
              color="red"
              loading={remove.isPending}
              onClick={() => remove.mutate({ params }, { onSuccess: close })}
            >
              Remove
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
