import { Button } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ComponentPropsWithRef, ReactNode } from 'react';
import { useMoments } from '../../api/moment.js';
import type { Selector } from '../../api/rules.js';

const LinkButton = createLink((props: ComponentPropsWithRef<'a'> & { readonly children: ReactNode }) => (
  <Button component="a" color="red.8" miw="max-content" {...props} />
));

/** Leads to the page that stops what the selector names. It orders nothing by itself, and stops now, also from a page that shows the past. */
export function StopLink({
  selector,
  children = 'Stop this…',
}: {
  readonly selector: Selector;
  readonly children?: ReactNode;
}) {
  const { at } = useMoments();
  return (
    <LinkButton to="/stop" search={selector}>
      {children}
      {at !== undefined && ' (now)'}
    </LinkButton>
  );
}
