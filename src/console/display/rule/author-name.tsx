import type { Author } from '../../api/rules.js';
import { Text } from '@mantine/core';
import { Name } from '../name.js';

/** Names who ordered or lifted something: a person, or a registered caller, perhaps on behalf of a person. */
export function AuthorName({ author: { caller, person, on_behalf_of } }: { readonly author: Author }) {
  if (person !== undefined) return <Name>{person.sub}</Name>;
  if (on_behalf_of === undefined) return <Name>{caller}</Name>;
  return (
    <>
      <Name>{on_behalf_of}</Name>{' '}
      <Text span inherit c="dimmed">
        through <Name>{caller}</Name>
      </Text>
    </>
  );
}
