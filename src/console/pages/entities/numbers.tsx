import { SimpleGrid, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { problemOf } from '../../api/problem.js';
import { Differences } from '../../display/changes/differences.js';
import { Moment } from '../../display/moment.js';
import { countText } from '../../display/numbers.js';
import { Failed, Loading } from '../../display/states.js';
import { GrantDifferences } from './grant-differences.js';
import type { Kind } from './kinds.js';
import { useStanding, type EntityRow } from './queries.js';

const WORDS = ['users', 'clients', 'agents', 'resources'] as const;

interface ComparedProps {
  readonly kind: Kind;
  readonly id: string;
  readonly row: EntityRow;
  readonly against: string;
}

/** The numbers with how they differ from those of the earlier moment, and what made them differ. */
export function Compared({ kind, id, row, against }: ComparedProps) {
  const { data, error, isPending, refetch } = useStanding(kind, id, { as_of: against });
  const wasUnknown = error !== null && problemOf(error).code === 'not-found';
  if (isPending) return <Loading />;
  if (data === undefined && !wasUnknown) return <Failed error={error} reset={() => void refetch()} />;
  const before = data?.[0];
  return (
    <>
      {before === undefined && (
        <Text size="sm">
          This {kind} is new: no event had named it by <Moment at={against} />.
        </Text>
      )}
      <Numbers row={row} before={before ?? NOTHING} />
      {kind === 'client' && <Differences client={Number(id)} />}
      {kind === 'resource' && <Differences resource={id} />}
      {(kind === 'user' || kind === 'agent') && <GrantDifferences kind={kind} id={id} against={against} />}
    </>
  );
}

type Counts = Partial<Pick<EntityRow, 'grants' | 'unused_grants' | (typeof WORDS)[number]>>;
const NOTHING: Counts = {};

/** With `before`, each count says by how much it differs. */
export function Numbers({ row, before }: { readonly row: EntityRow; readonly before?: Counts }) {
  const count = (member: keyof Counts): ReactNode => (
    <>
      {countText(row[member] ?? 0)}
      {before && <By much={(row[member] ?? 0) - (before[member] ?? 0)} />}
    </>
  );
  return (
    <SimpleGrid cols={{ base: 2, xs: 4, md: 7 }} spacing="md" verticalSpacing="xs">
      <Figure name="grants">{count('grants')}</Figure>
      <Figure name="never used">{count('unused_grants')}</Figure>
      {WORDS.flatMap((word) =>
        row[word] === undefined ? (
          []
        ) : (
          <Figure key={word} name={word}>
            {count(word)}
          </Figure>
        ),
      )}
      <Figure name="last use">{row.last_used === null ? 'never' : <Moment at={row.last_used} stacked />}</Figure>
      <Figure name="first seen">
        <Moment at={row.first_seen.at} stacked />
      </Figure>
    </SimpleGrid>
  );
}

function By({ much }: { readonly much: number }) {
  return (
    <Text span size="xs" c="dimmed" fw={400}>
      {' '}
      {much === 0 ? '±0' : `${much > 0 ? '+' : '−'}${countText(Math.abs(much))}`}
    </Text>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text fw={600} component="div">
        {children}
      </Text>
    </div>
  );
}
