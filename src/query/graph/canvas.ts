import type { Names } from '../names.pg.js';
import type { GraphAnswer, GraphNode } from './answers.js';
import type { ShownPair } from './pairs.js';

/** A picture of more cannot be read. */
export const MAX_GRAPH_NODES = 200;
/** More lines between so many nodes cannot be told apart; every node that has one keeps one, so it is more than there are nodes. */
export const MAX_GRAPH_CONNECTIONS = 300;

/** What a user may do as a client. */
export interface HeldGrant {
  readonly usr: number;
  /** As it is shown. */
  readonly client: number;
  readonly resources: number;
}

/** What of the graph an answer shows. */
export interface Drawing {
  /** Without it nothing is folded. */
  readonly fold?: GraphAnswer['fold'];
  readonly nodes: readonly GraphNode[];
  readonly pairs: readonly ShownPair[];
  readonly grants: readonly HeldGrant[];
  readonly left_out: GraphAnswer['left_out'];
}

/** The busiest of the pairs, given in that order; of each client, resource and agent that is drawn at least its busiest. */
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
  /** Draws all of them, unless more than `room` nodes would then be there. */
  readonly draw: (added: readonly GraphNode[], room?: number) => boolean;
  readonly nodes: () => readonly GraphNode[];
}

export function createCanvas(): Canvas {
  const nodes = new Map<string, GraphNode>();
  return {
    has: (id) => nodes.has(String(id)),
    draw(added, room = MAX_GRAPH_NODES) {
      if (added.every(({ id }) => nodes.has(id))) return true;
      const fresh = new Set(added.map(({ id }) => id).filter((id) => !nodes.has(id)));
      if (nodes.size + fresh.size > room) return false;
      for (const node of added) if (!nodes.has(node.id)) nodes.set(node.id, node);
      return true;
    },
    nodes: () => [...nodes.values()],
  };
}

/** An entity as it is drawn: with the issuer that names it. */
export interface Symbols {
  readonly user: (id: number) => GraphNode[];
  readonly client: (id: number) => GraphNode[];
  readonly agent: (id: number) => GraphNode[];
  readonly resource: (id: number) => GraphNode[];
}

export const issuerNode = (iss: string): GraphNode => ({ id: `issuer:${iss}`, type: 'issuer', name: iss });

export function createSymbols(names: Names): Symbols {
  const issuers = new Map<string, GraphNode>();
  const withIssuer = (iss: string, node: GraphNode): GraphNode[] => {
    let issuer = issuers.get(iss);
    if (!issuer) issuers.set(iss, (issuer = issuerNode(iss)));
    return [{ ...node, issuer: issuer.id }, issuer];
  };
  return {
    client: drawnOnce((id) => {
      const { iss, client_id } = names.client(id);
      return withIssuer(iss, { id: String(id), type: 'client', name: client_id });
    }),
    agent: drawnOnce((id) => {
      const { iss, id: name } = names.agent(id);
      return withIssuer(iss, { id: String(id), type: 'agent', name });
    }),
    user: drawnOnce((id) => {
      const { iss, tenant, sub } = names.user(id);
      return withIssuer(iss, { id: String(id), type: 'user', name: sub, ...(tenant === undefined ? {} : { tenant }) });
    }),
    resource: drawnOnce((id) => [{ id: String(id), type: 'resource', name: names.resource(id).uri }]),
  };
}

/** Thousands of pairs are of a hundred clients and resources. */
function drawnOnce(draw: (id: number) => GraphNode[]): (id: number) => GraphNode[] {
  const drawn = new Map<number, GraphNode[]>();
  return (id) => {
    let nodes = drawn.get(id);
    if (!nodes) drawn.set(id, (nodes = draw(id)));
    return nodes;
  };
}
