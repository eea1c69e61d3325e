import { Anchor, Table, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import type { Token } from '../../api/token.js';
import type { LayerEdge, LayerNode } from '../layers/layered-graph.js';
import { Moment } from '../moment.js';
import { Name } from '../name.js';
import { countText } from '../numbers.js';
import { PageLink } from '../page-link.js';
import { Loading } from '../states.js';
import { stepsOf, type Step } from './steps.js';

const LayeredGraph = lazy(() => import('../layers/layered-graph.js'));
const MAX_HEIGHT = '24rem';

/** From the sign-in over ID-JAGs to tokens, their uses and what stops them: drawn, and as a list. */
export function Lineage({ token }: { readonly token: Token }) {
  const steps = useMemo(() => stepsOf(token), [token]);
  const layers = useLayers(steps);
  const { missing, broken } = token.lineage;
  return (
    <>
      <Suspense fallback={<Loading />}>
        <LayeredGraph label="Lineage" maxHeight={MAX_HEIGHT} subject={token.id} {...layers} />
      </Suspense>
      <Steps steps={steps} />
      {token.exchanged.at_least && (
        <Text size="sm" mt="xs">
          More came from it than is shown.
        </Text>
      )}
      {missing.length > 0 && (
        <Text size="sm" mt="xs">
          {countText(missing.length)} of its steps were never told by their source.
        </Text>
      )}
      {broken && (
        <Text size="sm" mt="xs">
          The steps do not fit together.
        </Text>
      )}
    </>
  );
}

const usesText = ({ count, denied }: NonNullable<Step['accesses']>): string =>
  `${countText(count)} ${count === 1 ? 'call' : 'calls'}, ${countText(denied)} denied`;

function useLayers(steps: readonly Step[]) {
  const navigate = useNavigate();
  return useMemo(() => {
    const nodes: LayerNode[] = [];
    const edges: LayerEdge[] = [];
    for (const step of steps) {
      const { id, kind, layer, name, from, accesses, stoppedBy, isThis } = step;
      const isOther = kind === 'token' && !isThis;
      nodes.push({
        id,
        layer,
        kind: isThis ? 'this token' : kind,
        ...(name === undefined ? { words: 'of no audience' } : { name: name.replace(/^https:\/\//, '') }),
        tone: stoppedBy.length > 0 ? 'stopped' : isThis ? 'marked' : undefined,
        ...(isOther
          ? { onOpen: () => void navigate({ to: '/tokens/$id', params: { id } }), does: 'Open this token' }
          : {}),
      });
      edges.push(...from.map((origin) => ({ from: origin, to: id })));
      if (accesses !== undefined && accesses.count > 0) {
        nodes.push({ id: `uses ${id}`, layer: layer + 1, kind: 'uses', words: usesText(accesses) });
        edges.push({ from: id, to: `uses ${id}`, isDenied: accesses.denied === accesses.count });
      }
      for (const rule of stoppedBy) {
        nodes.push({
          id: `rule ${rule} ${id}`,
          layer: layer + 1,
          kind: 'stopped by',
          words: `rule ${rule}`,
          tone: 'stopped',
          onOpen: () => void navigate({ to: '/rules/$id', params: { id: rule } }),
          does: 'Open this rule',
        });
        edges.push({ from: id, to: `rule ${rule} ${id}`, isDenied: true });
      }
    }
    return { nodes, edges };
  }, [steps, navigate]);
}

function Steps({ steps }: { readonly steps: readonly Step[] }) {
  return (
    <Table aria-label="Steps of the lineage" verticalSpacing={4} horizontalSpacing="xs" fz="xs" mt="sm">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Step</Table.Th>
          <Table.Th>For</Table.Th>
          <Table.Th visibleFrom="md">Issued</Table.Th>
          <Table.Th visibleFrom="md">Said by</Table.Th>
          <Table.Th>Uses and stops</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {steps.map((step) => (
          <Table.Tr key={step.id} fw={step.isThis ? 600 : undefined}>
            <Table.Td style={{ paddingLeft: `${0.75 + step.layer * 0.75}rem` }}>
              <Kind of={step} />
            </Table.Td>
            <Table.Td style={{ wordBreak: 'break-all' }}>
              {step.name !== undefined && <Name>{step.name}</Name>}
            </Table.Td>
            <Table.Td visibleFrom="md">
              {step.kind === 'sign-in' ? (
                ''
              ) : step.issuedAt === undefined ? (
                'not stated'
              ) : (
                <Moment at={step.issuedAt} stacked />
              )}
            </Table.Td>
            <Table.Td visibleFrom="md">
              {step.entry && (
                <>
                  <Name>{step.entry.source ?? 'Rescind'}</Name>,{' '}
                  <Anchor href={`/v1/entries/${step.entry.index}`} target="_blank" inherit underline="always">
                    entry {step.entry.index}
                  </Anchor>
                </>
              )}
            </Table.Td>
            <Table.Td>
              {step.accesses && usesText(step.accesses)}
              {step.stoppedBy.map((rule) => (
                <div key={rule}>
                  stopped by{' '}
                  <PageLink to="/rules/$id" params={{ id: rule }} inherit>
                    rule {rule}
                  </PageLink>
                </div>
              ))}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Kind({ of: { id, kind, isThis } }: { readonly of: Step }) {
  if (isThis) return <>this token</>;
  if (kind !== 'token') return <>{kind}</>;
  return (
    <PageLink to="/tokens/$id" params={{ id }} inherit>
      token
    </PageLink>
  );
}
