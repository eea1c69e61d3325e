import '@xyflow/react/dist/base.css';
import { UnstyledButton, useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import {
  Controls,
  Handle,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Edge,
  type Node,
  type NodeProps,
} from '@xyflow/react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Name } from '../name.js';
import { Loading } from '../states.js';
import classes from './layered-graph.module.css';
import { layOut, NODE, type Point } from './layout.js';

export interface LayerNode {
  readonly id: string;
  /** Counted from the left. */
  readonly layer: number;
  /** A word for it, and what else is said in the small line. */
  readonly kind: string;
  /** Its name, from outside; or words of our own. */
  readonly name?: string;
  readonly words?: string;
  readonly tone?: 'folded' | 'marked' | 'stopped' | undefined;
  /** The drawing begins with it, if none is marked. */
  readonly isFirst?: boolean;
  /** Called when somebody chooses it. Says in `does` what that does. */
  readonly onOpen?: (() => void) | undefined;
  readonly does?: string;
}

export interface LayerEdge {
  readonly from: string;
  readonly to: string;
  /** Drawn with gaps: it stands, and nobody uses it. */
  readonly isIdle?: boolean;
  readonly isDenied?: boolean;
}

interface LayeredGraphProps {
  readonly label: string;
  readonly nodes: readonly LayerNode[];
  readonly edges: readonly LayerEdge[];
  /** The frame is not higher than this; a higher drawing is scrolled within it. */
  readonly maxHeight: string;
  /** The drawing is put at its beginning, or at the node that is marked, when this changes. */
  readonly subject: string;
}

const NODE_TYPES = { box: Box };
const MARGIN = 12;
/** Room below the drawing, where the buttons are. */
const BUTTONS = 36;
/** Letters stay large enough to be read: a drawing that is wider is moved in its frame. */
const ZOOM = { least: 0.65, most: 1, min: 0.2, max: 2 };

/** A drawing in layers from left to right. What is laid out for the next answer replaces the drawing at once: it never goes blank between two. */
export default function LayeredGraph(props: LayeredGraphProps) {
  return (
    <ReactFlowProvider>
      <Drawing {...props} />
    </ReactFlowProvider>
  );
}

interface LaidOut extends Pick<LayeredGraphProps, 'nodes' | 'edges' | 'subject'> {
  readonly places: ReadonlyMap<string, Point>;
}

function Drawing({ label, nodes, edges, subject, maxHeight }: LayeredGraphProps) {
  const laid = useLayout({ nodes, edges, subject });
  const { ref, width, height } = useElementSize();
  const scheme = useComputedColorScheme('light');
  const { setViewport } = useReactFlow();
  const drawn = useMemo(() => laid && flowOf(laid), [laid]);
  const zoom = drawn === undefined ? 1 : Math.min(ZOOM.most, Math.max(ZOOM.least, (width - 2 * MARGIN) / drawn.width));
  const shown = useRef<string>(undefined);
  useEffect(() => {
    if (laid === undefined || drawn === undefined || width === 0 || shown.current === laid.subject) return;
    shown.current = laid.subject;
    const first = laid.nodes.find(({ tone }) => tone === 'marked') ?? laid.nodes.find(({ isFirst = false }) => isFirst);
    const middle = (first && laid.places.get(first.id)) ?? { x: 0, y: 0 };
    void setViewport({
      x: beginningOf(width, drawn.width * zoom, (middle.x + NODE.width / 2) * zoom),
      y: beginningOf(height - BUTTONS, drawn.height * zoom, (middle.y + NODE.height / 2) * zoom),
      zoom,
    });
  }, [laid, drawn, width, height, zoom, setViewport]);
  if (drawn === undefined) return <Loading />;
  const whole = drawn.height * zoom + 2 * MARGIN + BUTTONS;
  return (
    <div ref={ref} className={classes['frame']} style={{ height: `min(${whole}px, ${maxHeight})` }}>
      <ReactFlow
        aria-label={label}
        colorMode={scheme}
        nodes={drawn.nodes}
        edges={drawn.edges}
        nodeTypes={NODE_TYPES}
        minZoom={ZOOM.min}
        maxZoom={ZOOM.max}
        translateExtent={[
          [-MARGIN, -MARGIN],
          [drawn.width + MARGIN, drawn.height + MARGIN + BUTTONS],
        ]}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        panOnScroll={height < whole - 1}
        preventScrolling={height < whole - 1}
        proOptions={{ hideAttribution: true }}
      >
        <Controls showInteractive={false} position="bottom-right" orientation="horizontal" />
      </ReactFlow>
    </div>
  );
}

/** Places a drawing in its frame: in the middle if it fits, else so that a point of it comes as near to the middle as it can. */
function beginningOf(frame: number, drawing: number, point: number): number {
  const rest = frame - drawing;
  return rest >= 2 * MARGIN ? rest / 2 : Math.min(MARGIN, Math.max(frame / 2 - point, rest - MARGIN));
}

/** Lays out the newest drawing. Until that is done, the one before stays. */
function useLayout({ nodes, edges, subject }: Omit<LaidOut, 'places'>): LaidOut | undefined {
  const [laid, setLaid] = useState<LaidOut>();
  useEffect(() => {
    let isNewest = true;
    const draw = async (): Promise<void> => {
      const places = await layOut({ nodes, edges });
      if (isNewest) setLaid({ nodes, edges, subject, places });
    };
    void draw();
    return () => {
      isNewest = false;
    };
  }, [nodes, edges, subject]);
  return laid;
}

type BoxNode = Node<{ readonly of: LayerNode }, 'box'>;

interface Flow {
  readonly nodes: BoxNode[];
  readonly edges: Edge[];
  readonly width: number;
  readonly height: number;
}

function flowOf({ nodes, edges, places }: LaidOut): Flow {
  const all = [...places.values()];
  return {
    width: Math.max(...all.map(({ x }) => x)) + NODE.width,
    height: Math.max(...all.map(({ y }) => y)) + NODE.height,
    nodes: nodes.map((of) => ({
      id: of.id,
      type: 'box',
      data: { of },
      position: places.get(of.id)!,
      width: NODE.width,
      height: NODE.height,
    })),
    edges: edges.map(({ from, to, isIdle = false, isDenied = false }) => ({
      id: `${from} ${to}`,
      source: from,
      target: to,
      style: {
        ...(isIdle ? { strokeDasharray: '4 4' } : {}),
        ...(isDenied ? { stroke: 'var(--mantine-color-error)' } : {}),
      },
    })),
  };
}

function Box({ data: { of } }: NodeProps<BoxNode>) {
  const { kind, name, words, tone, onOpen, does } = of;
  const { getZoom, setCenter, getNode } = useReactFlow();
  const said = (
    <>
      <span className={`${classes['line']} ${classes['kind']}`}>{kind}</span>
      <span className={classes['line']}>{name === undefined ? words : <Name>{name}</Name>}</span>
    </>
  );
  const look = `${classes['node']} ${tone === undefined ? '' : classes[tone]}`;
  /** The keyboard brings into sight what it reaches. */
  const show = (): void => {
    const { position } = getNode(of.id)!;
    void setCenter(position.x + NODE.width / 2, position.y + NODE.height / 2, { zoom: getZoom() });
  };
  return (
    <>
      <Handle className={classes['handle']} type="target" position={Position.Left} />
      {onOpen === undefined ? (
        <div className={look} style={NODE}>
          {said}
        </div>
      ) : (
        <UnstyledButton
          className={`nopan ${look}`}
          style={NODE}
          title={does}
          onClick={onOpen}
          onFocus={({ currentTarget }) => currentTarget.matches(':focus-visible') && show()}
        >
          {said}
        </UnstyledButton>
      )}
      <Handle className={classes['handle']} type="source" position={Position.Right} />
    </>
  );
}
