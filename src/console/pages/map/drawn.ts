import type { Answer } from '../../api/client.js';
import type { Entity } from '../../display/entity.js';
import { countText } from '../../display/numbers.js';

export type GraphAnswer = Answer<'GraphAnswer'>;
type Node = GraphAnswer['nodes'][number];
type Edge = GraphAnswer['edges'][number];
export type Connection = Edge & { readonly type: 'connection' };

/** A drawing never has more nodes than this. */
export const MAX_DRAWN = 200;
/** So many can still be read at one glance; the rest is folded until somebody unfolds it. */
export const FEW_DRAWN = 48;

/** A node of the drawing. A fold stands for what is not drawn: the users of a client or of a team, or what there was no room for. */
export type Drawn =
  | { readonly id: string; readonly layer: number; readonly entity: Entity; readonly node: Node }
  | {
      readonly id: string;
      readonly layer: number;
      readonly fold: 'users' | 'team' | 'rest';
      /** The client whose users are folded. */
      readonly client?: number;
      readonly words: string;
      /** The name of a team, which the directory gives. */
      readonly name?: string;
    };

export interface DrawnGraph {
  readonly nodes: readonly Drawn[];
  readonly edges: readonly Edge[];
}

const LAYERS = { user: 0, agent: 1, client: 2, resource: 3 } as const;
type Kind = keyof typeof LAYERS;

/** Places that are kept free for the folds of clients, resources, agents and users. */
const FOLDS = 4;

/**
 * Chooses what is drawn of an answer: the busiest connections with their agents, in `room`, then users, in all there is, then a fold for the others. `unfolded` has the
 * neighbourhood of each client whose users are drawn one by one.
 */
export function drawGraph(
  answer: GraphAnswer,
  { room, unfolded = new Map() }: { readonly room: number; readonly unfolded?: ReadonlyMap<number, GraphAnswer> },
): DrawnGraph {
  const known = new Map([...unfolded.values(), answer].flatMap(({ nodes }) => nodes.map((node) => [node.id, node])));
  const drawn = new Map<string, Drawn>();
  // The teams are drawn whatever else is; the API answers with 50 at most.
  const teams = answer.nodes.filter(({ type }) => type === 'team');
  let places = FOLDS + teams.length;
  const add = (ids: readonly string[], most: number): boolean => {
    const fresh = [...new Set(ids)].filter((id) => !drawn.has(id)).map((id) => known.get(id)!);
    // A client takes two places: the other is for the fold of its users, who may be folded by team instead.
    const ofClient = answer.fold === 'teams' ? 1 : 2;
    const needed = fresh.reduce((sum, { type }) => sum + (type === 'client' ? ofClient : 1), 0);
    if (places + needed > most) return false;
    places += needed;
    for (const node of fresh) drawn.set(node.id, drawnOf(node));
    return true;
  };
  const users = [...unfolded.values()].flatMap(({ nodes }) => nodes.filter(({ type }) => type === 'user')).length;
  const forConnections = Math.min(room, Math.max(FEW_DRAWN, MAX_DRAWN - users));
  const connections = answer.edges.filter((edge): edge is Connection => edge.type === 'connection');
  const acting = answer.edges.filter(({ type }) => type === 'agent');
  for (const { from, to } of connections) {
    const agents = acting.filter((edge) => edge.to === from).map((edge) => edge.from);
    if (!add([from, to, ...agents], forConnections)) add([from, to], forConnections);
  }
  const grants = [answer, ...unfolded.values()].flatMap(({ edges }) => edges.filter(({ type }) => type === 'grant'));
  for (const team of teams) drawn.set(team.id, teamOf(team));
  for (const { from, to } of grants) if (drawn.has(to)) add([from], MAX_DRAWN);
  for (const node of answer.nodes) if (answer.edges.length === 0 && isKind(node)) add([node.id], room);
  const edges = onceByEnds([...connections, ...acting, ...grants]).filter(
    ({ from, to }) => drawn.has(from) && drawn.has(to),
  );
  const folds = answer.fold === 'teams' ? [] : usersFolded([...drawn.values()], edges);
  return {
    nodes: [...drawn.values(), ...folds.map(({ node }) => node), ...restOf(answer, drawn)],
    edges: [...edges, ...folds.map(({ edge }) => edge)],
  };
}

const isKind = ({ type }: Node): boolean => type in LAYERS;
const onceByEnds = (edges: readonly Edge[]): Edge[] => [
  ...new Map(edges.map((edge) => [`${edge.from} ${edge.to}`, edge])).values(),
];

function drawnOf(node: Node): Drawn {
  return { id: node.id, layer: LAYERS[node.type as Kind], entity: entityOf(node), node };
}

const teamOf = ({ id, name, users = 0 }: Node): Drawn => ({
  id,
  layer: LAYERS.user,
  fold: 'team',
  words: `${countText(users)} user${users === 1 ? '' : 's'}${name === '' ? ' without a team' : ''}`,
  ...(name === '' ? {} : { name }),
});

function entityOf({ id, type, name, issuer = '', tenant, display_name }: Node): Entity {
  const shown = { entity: Number(id), ...(display_name === undefined ? {} : { display_name }) };
  const iss = issuer.slice('issuer:'.length);
  switch (type) {
    case 'user':
      return { kind: type, is: { ...shown, iss, sub: name, ...(tenant === undefined ? {} : { tenant }) } };
    case 'client':
      return { kind: type, is: { ...shown, iss, client_id: name } };
    case 'agent':
      return { kind: type, is: { ...shown, iss, id: name } };
    default:
      return { kind: 'resource', is: { ...shown, uri: name } };
  }
}

/** Folds the users of each client that are not drawn one by one. */
function usersFolded(drawn: readonly Drawn[], edges: readonly Edge[]): { node: Drawn; edge: Edge }[] {
  return drawn.flatMap((one) => {
    if (!('node' in one) || one.node.type !== 'client') return [];
    const there = edges.filter(({ type, to }) => type === 'grant' && to === one.id).length;
    const users = (one.node.users ?? 0) - there;
    if (users <= 0) return [];
    const id = `users ${one.id}`;
    return [
      {
        node: { id, layer: LAYERS.user, fold: 'users' as const, client: Number(one.id), words: wordsOf(users, 'user') },
        edge: { type: 'grant' as const, from: id, to: one.id, resources: 0 },
      },
    ];
  });
}

/** Folds, by kind, what the answer left out and what there was no room for. */
function restOf({ nodes, left_out: left }: GraphAnswer, drawn: ReadonlyMap<string, Drawn>): Drawn[] {
  const out = { user: left.users, agent: left.agents, client: left.clients, resource: left.resources };
  return (Object.keys(LAYERS) as Kind[]).flatMap((kind): Drawn[] => {
    const count = out[kind] + nodes.filter(({ id, type }) => type === kind && !drawn.has(id)).length;
    if (count === 0) return [];
    const inTeams = kind === 'user' && left.teams !== undefined ? ` in ${countText(left.teams)} teams` : '';
    return [{ id: `rest ${kind}`, layer: LAYERS[kind], fold: 'rest', words: `${wordsOf(count, kind)}${inTeams}` }];
  });
}

const wordsOf = (count: number, kind: Kind): string => `+ ${countText(count)} ${kind}${count === 1 ? '' : 's'}`;
