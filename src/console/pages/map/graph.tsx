import { Anchor, Group, SegmentedControl, Switch, Text } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { DataTable } from '../../display/data-table.js';
import { EntityLink } from '../../display/entity-link.js';
import { shortNameOf, type Entity } from '../../display/entity.js';
import { Part } from '../../display/facts.js';
import type { LayerEdge, LayerNode } from '../../display/layers/layered-graph.js';
import { countText } from '../../display/numbers.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { drawGraph, FEW_DRAWN, MAX_DRAWN, type Drawn, type DrawnGraph, type GraphAnswer } from './drawn.js';
import { GRAPH_COLUMNS, GRAPH_WIDE, tiesOf, type Tie } from './graph-columns.js';
import { useGraph, useUsersOf } from './queries.js';
import type { MapSearch } from './search.js';

/** The libraries that draw are loaded when somebody opens the graph. */
const LayeredGraph = lazy(() => import('../../display/layers/layered-graph.js'));
const route = getRouteApi('/map');
const MAX_HEIGHT = 'max(22rem, calc(100dvh - 13rem))';
const keyOf = ({ key }: Tie): string => key;

const NOBODY: readonly number[] = [];

interface GraphProps {
  readonly search: MapSearch;
  readonly onChange: (change: MapSearch) => void;
}

export function Graph({ search, onChange }: GraphProps) {
  const { data, error, refetch } = useGraph(search);
  const isByTeam = search.teams === true && search.focus === undefined;
  const unfolded = useUsersOf(isByTeam ? NOBODY : (search.unfold ?? NOBODY));
  if (data === undefined) return error === null ? <Loading /> : <Failed error={error} reset={() => void refetch()} />;
  return <Answered search={search} onChange={onChange} answer={data} unfolded={unfolded} />;
}

function Answered({
  search,
  onChange,
  answer,
  unfolded,
}: GraphProps & { readonly answer: GraphAnswer; readonly unfolded: ReadonlyMap<number, GraphAnswer> }) {
  const { focus, steps = 1, whole, teams } = search;
  const room = focus === undefined && whole === undefined ? FEW_DRAWN : MAX_DRAWN;
  const graph = useMemo(() => drawGraph(answer, { room, unfolded }), [answer, room, unfolded]);
  const layers = useLayers(graph, search, onChange);
  const ties = useMemo(() => tiesOf(graph), [graph]);
  const centre = graph.nodes.find(({ id }) => id === String(focus));
  if (graph.nodes.length === 0) return <Empty title="No connection">Nothing is connected.</Empty>;
  return (
    <>
      <Group gap="xs" mb="xs" mih={30}>
        {focus === undefined ? (
          <>
            <Switch
              size="xs"
              label="Users by team"
              checked={teams === true}
              onChange={({ currentTarget }) => onChange({ teams: currentTarget.checked ? true : undefined })}
            />
            <Text size="sm" c="dimmed">
              The busiest connections. Choose an entity to draw what is around it.
            </Text>
          </>
        ) : (
          <>
            <Text size="sm" component="div">
              Around {centre !== undefined && 'entity' in centre && <EntityLink entity={centre.entity} withKind />}
            </Text>
            <SegmentedControl
              size="xs"
              aria-label="Steps from it"
              data={[1, 2, 3].map((count) => ({
                value: String(count),
                label: `${count} step${count === 1 ? '' : 's'}`,
              }))}
              value={String(steps)}
              onChange={(value) => onChange({ steps: value === '1' ? undefined : (Number(value) as 2 | 3) })}
            />
            <Anchor component="button" size="sm" onClick={() => onChange({ focus: undefined, steps: undefined })}>
              Draw all
            </Anchor>
          </>
        )}
      </Group>
      <Suspense fallback={<Loading />}>
        <LayeredGraph
          label={focus === undefined ? 'Graph of all connections' : 'Graph around one entity'}
          maxHeight={MAX_HEIGHT}
          subject={`${focus} ${steps} ${whole} ${teams}`}
          {...layers}
        />
      </Suspense>
      <Text size="xs" c="dimmed" mt={4} mb="md">
        {countText(graph.nodes.length)} nodes are drawn. A dashed line stands for what was never allowed, a red one for
        what was only denied.
      </Text>
      <Part title="The same as a table" count={ties.length}>
        <DataTable label="Drawn connections" rows={ties} columns={GRAPH_COLUMNS} wide={GRAPH_WIDE} keyOf={keyOf} />
      </Part>
    </>
  );
}

function useLayers({ nodes, edges }: DrawnGraph, { focus, unfold = [] }: MapSearch, onChange: GraphProps['onChange']) {
  const navigate = route.useNavigate();
  return useMemo(() => {
    const around = (entity: Entity) => (): void =>
      void navigate({
        search: (before) => ({ ...before, focus: entity.is.entity, unfold: undefined }),
        resetScroll: false,
      });
    const open = (one: Drawn): Pick<LayerNode, 'onOpen' | 'does'> => {
      if ('entity' in one) return { onOpen: around(one.entity), does: 'Draw around it' };
      if (one.fold === 'rest')
        return focus === undefined && nodes.length <= FEW_DRAWN
          ? { onOpen: () => onChange({ whole: true }), does: 'Draw more' }
          : { onOpen: () => onChange({ show: 'table' }), does: 'List all' };
      if (one.fold === 'team') return {};
      return unfold.includes(one.client!)
        ? {}
        : { onOpen: () => onChange({ unfold: [...unfold, one.client!] }), does: 'Draw them' };
    };
    return {
      nodes: nodes.map((one): LayerNode => ({ ...shownOf(one, focus), ...open(one) })),
      edges: edges.map(({ from, to, ...edge }): LayerEdge => {
        if (edge.type !== 'connection') return { from, to };
        return { from, to, isIdle: edge.allowed === 0, isDenied: edge.allowed === 0 && edge.denied > 0 };
      }),
    };
  }, [nodes, edges, focus, unfold, navigate, onChange]);
}

function shownOf(one: Drawn, focus: number | undefined): LayerNode {
  const { id, layer } = one;
  if (!('entity' in one)) {
    const { words, name, fold } = one;
    if (name !== undefined) return { id, layer, kind: `team, ${words}`, name, tone: 'folded', isFirst: true };
    return { id, layer, kind: fold === 'team' ? 'team' : 'folded', words, tone: 'folded' };
  }
  const { entity, node } = one;
  const users = node.users === undefined ? '' : `, ${countText(node.users)} users`;
  return {
    id,
    layer,
    kind: `${entity.kind}${node.disabled ? ', disabled' : users}`,
    name: shortNameOf(entity),
    tone: id === String(focus) ? 'marked' : node.disabled ? 'stopped' : undefined,
  };
}
