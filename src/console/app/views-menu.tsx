import { ActionIcon, Menu, Modal } from '@mantine/core';
import { Link, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { Name } from '../display/name.js';
import { Failed, Loading } from '../display/states.js';
import { hrefOf, useSaveView, useViews, viewOfThisPage, type View } from '../display/views/queries.js';
import { ViewForm } from '../display/views/view-form.js';

/** Views in the menu; the page of all has the others. */
const SHOWN = 12;

/** Saves the page that is open under a name, and leads to views that were saved. */
export function ViewsMenu() {
  const [view, setView] = useState<Pick<View, 'page' | 'search'>>();
  const { mutate, error, isPending, reset } = useSaveView();
  const close = (): void => {
    setView(undefined);
    reset();
  };
  return (
    <>
      <Menu position="bottom-end" withinPortal width={280}>
        <Menu.Target>
          <ActionIcon aria-label="Saved views">☆</ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setView(viewOfThisPage())}>Save this view…</Menu.Item>
          <Menu.Divider />
          <Views />
          <Menu.Divider />
          <Menu.Item component={Link} to="/views">
            All views
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={view !== undefined}
        onClose={close}
        title="Save this view"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <ViewForm
          error={error}
          isPending={isPending}
          onSave={(said) => mutate({ body: { ...view!, ...said } }, { onSuccess: close })}
        />
      </Modal>
    </>
  );
}

function Views() {
  const router = useRouter();
  const { data, error } = useViews();
  if (error !== null && data === undefined) return <Failed error={error} />;
  if (data === undefined) return <Loading />;
  if (data.views.length === 0) return <Menu.Label>No view is saved yet.</Menu.Label>;
  return data.views.slice(0, SHOWN).map((view) => (
    <Menu.Item
      key={view.id}
      component="a"
      href={hrefOf(view)}
      rightSection={view.mine ? undefined : 'shared'}
      onClick={(event) => {
        event.preventDefault();
        router.history.push(hrefOf(view));
      }}
    >
      <Name>{view.name}</Name>
    </Menu.Item>
  ));
}
