import { Button } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ComponentPropsWithRef, ReactNode } from 'react';
import type { Selector } from '../../api/rules.js';

const LinkButton = createLink((props: ComponentPropsWithRef<'a'> & { readonly children: ReactNode }) => (
  <Button component="a" color="red.8" {...props} />
));

/** Leads to the page that stops what the selector names. It orders nothing by itself. */
export function StopLink({
  selector,
  children = 'Stop this…',
}: {
  readonly selector: Selector;
  readonly children?: ReactNode;
}) {
  return (
    <LinkButton to="/stop" search={selector}>
      {children}
    </LinkButton>
  );
}
