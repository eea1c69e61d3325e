import { Badge } from '@mantine/core';
import type { Entity } from '../../../display/entity.js';
import { useEntity } from '../question/queries.js';
import { ConditionText } from '../question/filters.js';
import type { Condition } from '../question/words.js';

/** One condition on the uses that are shown. An id of an entity is shown as its name. */
export function RowCondition({ of }: { readonly of: Condition }) {
  const { said } = of;
  const isId = typeof said === 'number' && ENTITIES.has(of.dimension);
  return isId ? <Identified of={of} id={said} /> : <Shown of={of} />;
}

const ENTITIES: ReadonlySet<string> = new Set(['user', 'client', 'agent', 'resource'] satisfies Entity['kind'][]);

function Identified({ of, id }: { readonly of: Condition; readonly id: number }) {
  const { data } = useEntity(id);
  const name = data?.display_name ?? data?.names.find(({ entity }) => entity === id)?.name;
  return <Shown of={{ ...of, said: name ?? id }} />;
}

const Shown = ({ of }: { readonly of: Condition }) => (
  <Badge variant="light" tt="none" radius="sm" fw={400} size="lg" maw="100%">
    <ConditionText of={of} />
  </Badge>
);
