import { Anchor, Text } from '@mantine/core';
import { Link, useRouter } from '@tanstack/react-router';
import type { Answer } from '../api/client.js';
import { Name } from './name.js';

export type Entity =
  | { readonly kind: 'user'; readonly is: Answer<'User'> }
  | { readonly kind: 'client'; readonly is: Answer<'Client'> }
  | { readonly kind: 'agent'; readonly is: Answer<'Agent'> }
  | { readonly kind: 'resource'; readonly is: Answer<'Resource'> };

/** Names an entity and leads to its page, once the console has one. */
export function EntityLink({ entity, withKind = false }: { readonly entity: Entity; readonly withKind?: boolean }) {
  const { routesByPath } = useRouter();
  const route = `/${entity.kind}s/$entity`;
  const name = <Name>{nameOf(entity)}</Name>;
  return (
    <>
      {withKind && (
        <Text span size="xs" c="dimmed">
          {entity.kind}{' '}
        </Text>
      )}
      {route in routesByPath ? (
        <Anchor component={Link} inherit to={`/${entity.kind}s/${entity.is.entity}`}>
          {name}
        </Anchor>
      ) : (
        <Text span inherit>
          {name}
        </Text>
      )}
    </>
  );
}

export function nameOf(entity: Entity): string {
  switch (entity.kind) {
    case 'user':
      return entity.is.display_name ?? entity.is.sub;
    case 'client':
      return entity.is.display_name ?? entity.is.client_id;
    case 'agent':
      return entity.is.display_name ?? entity.is.id;
    case 'resource':
      return entity.is.uri;
  }
}

/** The name where there is little room: resources begin alike. */
export const shortNameOf = (entity: Entity): string =>
  entity.kind === 'resource' ? entity.is.uri.replace(/^https:\/\//, '') : nameOf(entity);
