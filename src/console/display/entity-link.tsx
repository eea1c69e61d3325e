import { Anchor, Text } from '@mantine/core';
import { Link, useRouter } from '@tanstack/react-router';
import { nameOf, type Entity } from './entity.js';
import { Name } from './name.js';

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
