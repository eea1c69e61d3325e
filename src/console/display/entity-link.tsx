import { Anchor, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { nameOf, type Entity } from './entity.js';
import { Name } from './name.js';

/** Names an entity and leads to its page. */
export function EntityLink({ entity, withKind = false }: { readonly entity: Entity; readonly withKind?: boolean }) {
  return (
    <>
      {withKind && (
        <Text span size="xs" c="dimmed">
          {entity.kind}{' '}
        </Text>
      )}
      <Anchor component={Link} inherit to={`/${entity.kind}s/${entity.is.entity}`}>
        <Name>{nameOf(entity)}</Name>
      </Anchor>
    </>
  );
}
