import type { GraphAnswer, GraphNode } from './answers.js';
import type { ShownPair } from './pairs.js';

/** Names of an entity, in the order of its kind's parts. */
export type Parts = readonly (string | null)[];

/** Nodes of a drawing. A picture of more cannot be read. */
export const MAX_GRAPH_NODES = 200;
/**
 * Connections of a drawing. More lines between so many nodes cannot be told apart. It exceeds {@link MAX_GRAPH_NODES},
 * because every node that has a connection keeps one.
 */
export const MAX_GRAPH_CONNECTIONS = 300;

/** A user's grants at one client. */
export interface HeldGrant {
  readonly usr: number;
  /** The client under the name that is shown. */
  readonly client: number;
  readonly resources: number;
}

/** The users of one team who hold grants. */
export interface TeamReach {
  /** Null: those for whom the directory has no team. */
  readonly team: string | null;
  readonly users: number;
  readonly clients: readonly { readonly client: number; readonly users: number; readonly resources: number }[];
}

/** The part of the graph that an answer shows. */
export interface Drawing {
  /** Undefined: nothing is folded. */
  readonly fold?: GraphAnswer['fold'];
  readonly nodes: readonly GraphNode[];
  readonly pairs: readonly ShownPair[];
  readonly grants: readonly HeldGrant[];
  /** The teams whose users are folded into one node each. */
  readonly teams?: readonly TeamReach[];
  readonly left_out: GraphAnswer['left_out'];
}

/**
 * Keeps the busiest pairs; `pairs` come busiest first. Each client, resource and agent that is drawn keeps at least its
 * busiest pair.
 */
export function thinOut(pairs: readonly ShownPair[], isDrawn: (id: number) => boolean): readonly ShownPair[] {
  const met = new Set<number>();
  const bringsNode = ({ client, res, agents }: ShownPair): boolean => {
    const before = met.size;
    for (const id of [client, res, ...agents.filter(isDrawn)]) met.add(id);
    return met.size > before;
  };
  const kept = new Set(pairs.filter(bringsNode));
  let room = MAX_GRAPH_CONNECTIONS - kept.size;
  return pairs.filter((pair) => kept.has(pair) || room-- > 0);
}

/** The nodes drawn so far. */
export interface Canvas {
  readonly has: (id: number) => boolean;
  /** Draws all of the nodes and returns true, unless the canvas would then hold more than `room` nodes. */
  readonly draw: (added: readonly GraphNode[], room?: number) => boolean;
  readonly nodes: () => readonly GraphNode[];
}

export function createCanvas(): Canvas {
  const nodes = new Map<string, GraphNode>();
  const entities = new Set<number>();
  return {
    has: (id) => entities.has(id),
    draw(added, room = MAX_GRAPH_NODES) {
      const fresh = new Map(added.filter(({ id }) => !nodes.has(id)).map((node) => [node.id, node]));
      if (nodes.size + fresh.size > room) return false;
      for (const [id, node] of fresh) {
        nodes.set(id, node);
        if (node.type !== 'issuer') entities.add(Number(id));
      }
      return true;
    },
    nodes: () => [...nodes.values()],
  };
}

/** Nodes of an entity: its own, and that of the issuer that names it. */
export interface Symbols {
  readonly user: (id: number) => GraphNode[];
  readonly client: (id: number) => GraphNode[];
  readonly agent: (id: number) => GraphNode[];
  readonly resource: (id: number) => GraphNode[];
}

export const issuerNode = (iss: string): GraphNode => ({ id: `issuer:${iss}`, type: 'issuer', name: iss });

export function createSymbols(partsOf: (id: number) => Parts): Symbols {
  const issuers = new Map<string, GraphNode>();
  const withIssuer = (iss: string, node: GraphNode): GraphNode[] => {
    let issuer = issuers.get(iss);
    if (!issuer) issuers.set(iss, (issuer = issuerNode(iss)));
    return [{ ...node, issuer: issuer.id }, issuer];
  };
  return {
    client: drawnOnce((id) => {
      const [iss, name] = partsOf(id);
      return withIssuer(iss!, { id: String(id), type: 'client', name: name! });
    }),
    agent: drawnOnce((id) => {
      const [iss, name] = partsOf(id);
      return withIssuer(iss!, { id: String(id), type: 'agent', name: name! });
    }),
    user: drawnOnce((id) => {
      const [iss, tenant, sub] = partsOf(id);
      return withIssuer(iss!, { id: String(id), type: 'user', name: sub!, ...(tenant == null ? {} : { tenant }) });
    }),
    resource: drawnOnce((id) => [{ id: String(id), type: 'resource', name: partsOf(id)[0]! }]),
  };
}

/** Draws each entity once: thousands of pairs share some hundred clients and resources. */
function drawnOnce(draw: (id: number) => GraphNode[]): (id: number) => GraphNode[] {
  const drawn = new Map<number, GraphNode[]>();
  return (id) => {
    let nodes = drawn.get(id);
    if (!nodes) drawn.set(id, (nodes = draw(id)));
    return nodes;
  };
}
