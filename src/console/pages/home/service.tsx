import { Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Answer } from '../../api/client.js';
import { useMoments } from '../../api/moment.js';
import { useReadiness } from '../../api/readiness.js';
import { countOf, countText } from '../../display/numbers.js';
import { Card } from './card.js';
import { useCoverage, useRules, useStanding, useWorstFindings } from './queries.js';

const LINES = 4;

/** The state of the service itself, as far as its answers tell. */
export function Service({ isLive }: { readonly isLive: boolean }) {
  const { at } = useMoments();
  const readiness = useReadiness();
  const rules = useRules();
  const read = useWorstFindings().data?.readTo;
  const written = useCoverage().data?.as_of.index;
  const spreading = rules.data?.filter(({ in_force }) => in_force !== true).length;
  const standing = useStanding().data;
  const failing = readiness.data?.checks.filter(({ ok }) => !ok) ?? [];
  return (
    <Card title="The service" isOfNow lines={LINES} error={readiness.error} onRetry={() => void readiness.refetch()}>
      {readiness.data !== undefined && (
        <Stack gap={6}>
          <State name="Answers" isWell={readiness.data === null ? undefined : failing.length === 0}>
            {readiness.data === null && 'its state is told at another address'}
            {failing.length === 0 && readiness.data?.checks.map(({ name }) => name).join(', ')}
            {failing.map(({ name, code }) => `${name}: ${code ?? 'failed'}`).join(', ')}
          </State>
          <State name="Rules" isWell={spreading === undefined ? undefined : spreading === 0}>
            {spreading === 0 && `applied by ${partiesText(standing)}`}
            {spreading !== undefined &&
              spreading > 0 &&
              `${countText(spreading)} not confirmed by every node and guard`}
          </State>
          {at === undefined && (
            <State
              name="Detections"
              isWell={
                read === undefined || written === undefined ? undefined : BigInt(read) >= BigInt(written) - 1_000n
              }
            >
              {read !== undefined &&
                written !== undefined &&
                (BigInt(read) >= BigInt(written)
                  ? `have read all ${countText(BigInt(written))} entries`
                  : `have read ${countText(BigInt(read))} of ${countText(BigInt(written))} entries`)}
            </State>
          )}
          <State name="This page" isWell={isLive}>
            {isLive ? 'hears of findings and rules at once' : 'asks again by itself'}
          </State>
        </Stack>
      )}
    </Card>
  );
}

const partiesText = (standing: Answer<'Standing'> | undefined): string =>
  standing === undefined || standing.nodes === null || standing.guards === null
    ? 'every node and guard'
    : `${countOf(standing.nodes, 'node')} and ${countOf(standing.guards, 'guard')}`;

interface StateProps {
  readonly name: string;
  /** Undefined: nobody can tell. */
  readonly isWell: boolean | undefined;
  readonly children: ReactNode;
}

function State({ name, isWell, children }: StateProps) {
  const [sign, colour, says] =
    isWell === undefined ? ['○', 'dimmed', 'not known'] : isWell ? ['●', 'green', 'well'] : ['▲', 'red', 'not well'];
  return (
    <Group gap="xs" wrap="nowrap" align="baseline">
      <Text span size="xs" c={colour} role="img" aria-label={says}>
        {sign}
      </Text>
      <Text span size="sm" w={84} style={{ flexShrink: 0 }}>
        {name}
      </Text>
      <Text span size="sm" c="dimmed">
        {children}
      </Text>
    </Group>
  );
}
