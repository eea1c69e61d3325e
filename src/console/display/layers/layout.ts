import ELK from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';

export const NODE = { width: 176, height: 40 } as const;

/** A drawing before it is laid out: ids, the layer of each node from the left, and edges from left to right. */
export interface Layers {
  readonly nodes: readonly { readonly id: string; readonly layer: number }[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

const GAP = 10;
const LAYER_GAP = 72;

/**
 * The order of nodes is kept where crossings allow it, so that a later drawing looks like the one before. Layers are given, so the quickest
 * way to find them does. Edges are drawn as curves between two nodes: right angles would keep a track for each, and the layers far apart.
 */
const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.partitioning.activate': 'true',
  'elk.separateConnectedComponents': 'false',
  'elk.spacing.nodeNode': String(GAP),
  'elk.layered.spacing.nodeNodeBetweenLayers': String(LAYER_GAP),
  'elk.layered.considerModelOrder.strategy': 'PREFER_NODES',
  'elk.layered.layering.strategy': 'LONGEST_PATH',
  'elk.edgeRouting': 'POLYLINE',
};

let elk: InstanceType<typeof ELK> | undefined;

/** Finds a place for each node, in a worker that is started with the first drawing. A node without an edge stands below its layer. */
export async function layOut({ nodes, edges }: Layers): Promise<ReadonlyMap<string, Point>> {
  elk ??= new ELK({ workerUrl });
  const tied = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const { children = [] } = await elk.layout({
    id: 'drawing',
    layoutOptions: OPTIONS,
    children: nodes
      .filter(({ id }) => tied.has(id))
      .map(({ id, layer }) => ({
        id,
        ...NODE,
        layoutOptions: { 'elk.partitioning.partition': String(layer) },
      })),
    edges: edges.map(({ from, to }) => ({ id: `${from} ${to}`, sources: [from], targets: [to] })),
  });
  const places = new Map(children.map(({ id, x = 0, y = 0 }) => [id, { x, y }]));
  for (const { id, layer } of nodes.filter((node) => !tied.has(node.id))) {
    const above = nodes.flatMap((node) => (node.layer === layer ? (places.get(node.id) ?? []) : []));
    places.set(id, {
      x: above[0]?.x ?? layer * (NODE.width + LAYER_GAP),
      y: Math.max(0, ...above.map(({ y }) => y + NODE.height + GAP)),
    });
  }
  return places;
}
