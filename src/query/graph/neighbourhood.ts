import {
  createCanvas,
  issuerNode,
  MAX_GRAPH_NODES,
  thinOut,
  type Drawing,
  type HeldGrant,
  type Symbols,
} from './canvas.js';
import type { ShownPair } from './pairs.js';

/** Reads grants as the walk reaches users and clients: the pairs do not contain users. */
export interface Grants {
  /** Finds users of clients (as shown): those with the widest reach, at most `rows`, and the number of all. */
  readonly ofClients: (
    clients: readonly number[],
    rows: number,
  ) => Promise<{ readonly grants: readonly HeldGrant[]; readonly users: number }>;
  readonly ofUsers: (users: readonly number[]) => Promise<readonly HeldGrant[]>;
}

export type Start = StartEntity | StartIssuer;

export interface StartEntity {
  readonly id: number;
  readonly type: 'user' | 'client' | 'agent' | 'resource';
}

/** An issuer as the start. It has thousands of users, so they stay folded and are no step of the walk. */
export interface StartIssuer {
  readonly type: 'issuer';
  readonly iss: string;
  /** Clients, as shown, at which users of the issuer hold grants. */
  readonly clients: readonly number[];
}

export interface Walk {
  readonly start: Start;
  /** Edges from the start. */
  readonly depth: number;
  readonly pairs: readonly ShownPair[];
  readonly grants: Grants;
  readonly symbolsOf: (ids: readonly number[]) => Promise<Symbols>;
}

interface Met {
  readonly user: Set<number>;
  readonly client: Set<number>;
  readonly agent: Set<number>;
  readonly resource: Set<number>;
}
const KINDS = ['client', 'resource', 'agent', 'user'] as const;
const nothing = (): Met => ({ user: new Set(), client: new Set(), agent: new Set(), resource: new Set() });

/**
 * Draws a node and everything at most `depth` edges away, nearest first; at one distance applications before users, the
 * busiest first. A node that does not fit is counted, and the walk does not go on from it. Around an issuer the first
 * step is its agents, its clients and those of its users; later steps leave out users.
 */
export async function drawNeighbourhood({ start, depth, pairs, grants, symbolsOf }: Walk): Promise<Drawing> {
  const canvas = createCanvas();
  const met = nothing();
  const walked = new Set<number>();
  const folded = start.type === 'issuer';
  let frontier = nothing();
  if (folded) canvas.draw([issuerNode(start.iss)]);
  else {
    met[start.type].add(start.id);
    canvas.draw((await symbolsOf([start.id]))[start.type](start.id));
    frontier[start.type].add(start.id);
  }

  for (let distance = 1; distance <= depth; distance++) {
    if (!folded) for (const client of frontier.client) walked.add(client);
    const reached =
      folded && distance === 1
        ? await namedBy(start, pairs, symbolsOf)
        : await reach(frontier, pairs, folded ? undefined : grants);
    const symbols = await symbolsOf(KINDS.flatMap((kind) => [...reached[kind]]));
    frontier = nothing();
    for (const kind of KINDS) {
      for (const id of reached[kind]) {
        if (met[kind].has(id)) continue;
        met[kind].add(id);
        if (canvas.draw(symbols[kind](id))) frontier[kind].add(id);
      }
    }
  }

  const missing = (kind: 'client' | 'resource' | 'agent'): number =>
    [...met[kind]].filter((id) => !canvas.has(id)).length;
  const near = pairs.filter(({ client, res }) => met.client.has(client) && met.resource.has(res));
  const drawn = thinOut(
    near.filter(({ client, res }) => canvas.has(client) && canvas.has(res)),
    canvas.has,
  );
  const users = [...met.user].filter(canvas.has);
  const held = users.length > 0 ? await grants.ofUsers(users) : [];
  const holders = walked.size > 0 ? (await grants.ofClients([...walked], 1)).users : users.length;
  return {
    ...(folded ? { fold: 'users' as const } : {}),
    nodes: canvas.nodes(),
    pairs: drawn,
    grants: held.filter(({ client }) => canvas.has(client)),
    left_out: {
      users: holders - users.length,
      clients: missing('client'),
      resources: missing('resource'),
      agents: missing('agent'),
      connections: near.length - drawn.length,
    },
  };
}

async function namedBy(
  { iss, clients }: StartIssuer,
  pairs: readonly ShownPair[],
  symbolsOf: Walk['symbolsOf'],
): Promise<Met> {
  const to = nothing();
  const [ids, ofUsers, { id: issuer }] = [
    pairs.flatMap(({ client, agents }) => [client, ...agents]),
    new Set(clients),
    issuerNode(iss),
  ];
  const symbols = await symbolsOf([...new Set(ids)]);
  for (const { client, agents } of pairs) {
    if (ofUsers.has(client) || symbols.client(client)[0]!.issuer === issuer) to.client.add(client);
    for (const agent of agents) if (symbols.agent(agent)[0]!.issuer === issuer) to.agent.add(agent);
  }
  return to;
}

/** Takes one step of the walk. Without `grants` it leaves out users. */
async function reach(from: Met, pairs: readonly ShownPair[], grants: Grants | undefined): Promise<Met> {
  const to = nothing();
  for (const pair of pairs) {
    if (from.client.has(pair.client)) {
      to.resource.add(pair.res);
      for (const agent of pair.agents) to.agent.add(agent);
    }
    if (from.resource.has(pair.res) || pair.agents.some((agent) => from.agent.has(agent))) to.client.add(pair.client);
  }
  if (grants === undefined) return to;
  for (const { client } of from.user.size > 0 ? await grants.ofUsers([...from.user]) : []) to.client.add(client);
  const held = from.client.size > 0 ? await grants.ofClients([...from.client], MAX_GRAPH_NODES) : { grants: [] };
  for (const { usr } of held.grants) to.user.add(usr);
  return to;
}
