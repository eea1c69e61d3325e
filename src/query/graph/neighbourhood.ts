import { createCanvas, issuerNode, MAX_GRAPH_NODES, thinOut, type Drawing, type HeldGrant, type Symbols } from './canvas.js';
import type { ShownPair } from './pairs.js';

/** What is a user to its clients and a client to its users is not among the pairs: it is asked for as the walk comes to it. */
export interface Grants {
  /** Users of clients, as they are shown: those with the widest reach, at most `rows`, and how many there are in all. */
  readonly ofClients: (clients: readonly number[], rows: number) => Promise<{ readonly grants: readonly HeldGrant[]; readonly users: number }>;
  readonly ofUsers: (users: readonly number[]) => Promise<readonly HeldGrant[]>;
}

export type Start = StartEntity | StartIssuer;

export interface StartEntity {
  readonly id: number;
  readonly type: 'user' | 'client' | 'agent' | 'resource';
}

/** Its users are thousands: they stay folded, and are no step of their own. */
export interface StartIssuer {
  readonly type: 'issuer';
  readonly iss: string;
  /** Where its users hold grants, as they are shown. */
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
 * Draws a node and what is at most `depth` edges away, nearest first; of one distance applications before users, the busiest first. What
 * does not fit is counted and not walked on from. Around an issuer: its agents, its clients and those of its users, then on without users.
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
    const reached = folded && distance === 1 ? await namedBy(start, pairs, symbolsOf) : await reach(frontier, pairs, folded ? undefined : grants);
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

  const missing = (kind: 'client' | 'resource' | 'agent'): number => [...met[kind]].filter((id) => !canvas.has(id)).length;
  const near = pairs.filter(({ client, res }) => met.client.has(client) && met.resource.has(res));
  const drawn = thinOut(near.filter(({ client, res }) => canvas.has(client) && canvas.has(res)), canvas.has);
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

async function namedBy({ iss, clients }: StartIssuer, pairs: readonly ShownPair[], symbolsOf: Walk['symbolsOf']): Promise<Met> {
  const to = nothing();
  const [ids, ofUsers, { id: issuer }] = [pairs.flatMap(({ client, agents }) => [client, ...agents]), new Set(clients), issuerNode(iss)];
  const symbols = await symbolsOf([...new Set(ids)]);
  for (const { client, agents } of pairs) {
    if (ofUsers.has(client) || symbols.client(client)[0]!.issuer === issuer) to.client.add(client);
    for (const agent of agents) if (symbols.agent(agent)[0]!.issuer === issuer) to.agent.add(agent);
  }
  return to;
}

/** Without `grants`, users are neither walked to nor from. */
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
