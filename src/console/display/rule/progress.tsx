import { Alert, Group, Loader, Stack, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Incident, Rule } from '../../api/rules.js';
import type { RuleStep, RuleStream } from '../../api/rule-stream.js';
import { Name } from '../name.js';
import { countOf, countText } from '../numbers.js';
import { timeText } from '../times.js';

interface Row {
  readonly key: string;
  readonly who: ReactNode;
  readonly guards: string;
  readonly outcome: 'confirmed' | 'expired';
  readonly when: string;
}

const EXPIRED = 'gone: it says active to nobody';
const msText = (ms: number | undefined): string => (ms === undefined ? '' : `${countText(Math.round(ms))} ms`);

/** Shows how a rule comes into force: live where this page heard it, otherwise as the ledger's report has it. */
export function Progress(props: {
  readonly rule: Rule;
  readonly stream: RuleStream;
  readonly incident: Incident | undefined;
}) {
  const { rule, stream, incident } = props;
  const heard = stream.steps.filter((step) => step.rule === rule.id && step.seq === rule.seq);
  const rows = heardRows(heard);
  const shown = rows.length > 0 ? rows : reportedRows(incident);
  return (
    <Stack gap="xs">
      <Headline rule={rule} heard={heard} nodes={shown.filter(({ guards }) => guards !== '').length} />
      {shown.length > 0 && <Confirmations rows={shown} />}
      {incident?.confirmations.known === false && rows.length === 0 && (
        <Text size="sm" c="dimmed">
          No record was kept of which node confirmed when.
        </Text>
      )}
    </Stack>
  );
}

function Headline({
  rule,
  heard,
  nodes,
}: {
  readonly rule: Rule;
  readonly heard: readonly RuleStep[];
  readonly nodes: number;
}) {
  const done = heard.find(({ what }) => what === 'in-force');
  if (done?.confirmed !== undefined) {
    const { confirmed, ms } = done;
    return (
      <Text role="status">
        <Text span fw={600}>
          In force
        </Text>{' '}
        on {countOf(confirmed.nodes, 'node')} and {countOf(confirmed.guards, 'guard')}
        {confirmed.expired > 0 && `; ${countText(confirmed.expired)} of them gone`}
        {ms !== undefined && `, ${msText(ms)} after it was stored`}.
      </Text>
    );
  }
  if (rule.in_force) return <Text role="status">In force: no node and no guard says active against it.</Text>;
  if (rule.state === 'lifted' && rule.lift?.in_force === false)
    return <Text role="status">The lift is stored, not yet in force: some nodes may still apply the rule.</Text>;
  if (rule.state === 'lifted' || rule.state === 'expired')
    return <Text role="status">It is over, and stops nothing.</Text>;
  const all = heard.find(({ what }) => what === 'ordered')?.nodes;
  const isSlow = heard.some(({ what }) => what === 'not-confirmed');
  return (
    <Alert color="yellow" role="status" title="Stored, not yet in force">
      <Group gap="xs">
        <Loader size="xs" aria-hidden />
        <Text size="sm">
          {all === undefined ? countOf(nodes, 'node') : `${countText(nodes)} of ${countOf(all, 'node')}`} confirmed.{' '}
          {isSlow
            ? 'It takes longer than it should: a node answers PostgreSQL and does not confirm. It may still say active. Rescind waits on.'
            : 'The others may still say active.'}
        </Text>
      </Group>
    </Alert>
  );
}

const heardRows = (heard: readonly RuleStep[]): Row[] =>
  heard.flatMap(({ what, node, guards, caller, guard, ms }): Row[] => {
    if (what === 'guard-confirmed')
      return [
        {
          key: `${caller}/${guard}`,
          who: (
            <>
              guard <Name>{guard ?? ''}</Name> of <Name>{caller ?? ''}</Name>
            </>
          ),
          guards: '',
          outcome: 'confirmed',
          when: msText(ms),
        },
      ];
    if (what !== 'confirmed' && what !== 'expired') return [];
    return [
      { key: node ?? '', who: nodeName(node ?? ''), guards: countText(guards ?? 0), outcome: what, when: msText(ms) },
    ];
  });

const reportedRows = (incident: Incident | undefined): Row[] =>
  (incident?.confirmations.nodes ?? []).map(({ node, guards, outcome, at }) => ({
    key: node,
    who: nodeName(node),
    guards: countText(guards),
    outcome,
    when: timeText(at),
  }));

const nodeName = (node: string): ReactNode => (
  <>
    node <Name>{node}</Name>
  </>
);

function Confirmations({ rows }: { readonly rows: readonly Row[] }) {
  return (
    <Table aria-label="Confirmations" withTableBorder>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Who</Table.Th>
          <Table.Th scope="col" ta="right">
            Guards
          </Table.Th>
          <Table.Th scope="col">Outcome</Table.Th>
          <Table.Th scope="col" ta="right">
            When
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(({ key, who, guards, outcome, when }) => (
          <Table.Tr key={key}>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{who}</Table.Td>
            <Table.Td ta="right">{guards}</Table.Td>
            <Table.Td>{outcome === 'expired' ? EXPIRED : outcome}</Table.Td>
            <Table.Td ta="right">{when}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
