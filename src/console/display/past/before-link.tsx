import { Anchor } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { timeOf } from '../../api/moment.js';
import type { Entity } from '../entity.js';

const SECOND_MS = 1_000;

/** Leads to the second before something happened: to the page of the entity that it concerns, or home. */
export function BeforeLink({ time, entity }: { readonly time: string; readonly entity?: Entity | undefined }) {
  const at = timeOf(Date.parse(time) - SECOND_MS);
  const to = entity === undefined ? '/' : `/${entity.kind}s/${entity.is.entity}`;
  return (
    <Anchor component={Link} inherit underline="always" to={to} search={{ at, against: undefined } as never}>
      the moment before
    </Anchor>
  );
}
