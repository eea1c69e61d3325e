import { Text } from '@mantine/core';
import { EntityLink } from '../../../display/entity-link.js';
import { Name } from '../../../display/name.js';
import { PageLink } from '../../../display/page-link.js';
import type { Dimension } from '../question/vocabulary.js';
import type { Group } from '../question/queries.js';
import { entityOf, plainText } from './group-text.js';

const TOKEN_SHOWN = 10;

/** The value of one dimension of a group, with a link to its page. */
export function GroupValue({ of: group, dimension }: { readonly of: Group; readonly dimension: Dimension }) {
  const entity = entityOf(dimension, group);
  if (entity !== undefined) return <EntityLink entity={entity} />;
  const text = plainText(dimension, group);
  if (text === undefined)
    return (
      <Text span inherit c="dimmed">
        none
      </Text>
    );
  if (dimension === 'token')
    return (
      <PageLink to="/tokens/$id" params={{ id: text }} inherit>
        {text.slice(0, TOKEN_SHOWN)}…
      </PageLink>
    );
  return <Name>{text}</Name>;
}
