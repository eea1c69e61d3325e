import { RescindError } from '../../contracts/index.js';
import { type Ask, COUNTING_TIMEOUT_MS, ENTITY_KINDS, type Snapshot } from '../../projections/index.js';
import { asOfOf, readAsOf } from '../ask/as-of.js';
import { resolveFilter } from '../ask/names.pg.js';
import {
  entityIdOf,
  FILTER_PARAMETERS,
  inconsistent,
  invalid,
  ISSUER_NODE,
  readParameters,
  type Parameters,
} from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import { readWindow, windowAt } from '../ask/window.js';
import type { GraphAnswer } from './answers.js';
import { createSymbols, MAX_GRAPH_NODES, type Drawing, type Symbols } from './canvas.js';
import { describeDrawing } from './describe.pg.js';
import { drawGraph } from './draw.js';
import { readParts } from './entities.pg.js';
import { createGrantReader } from './held.pg.js';
import { drawNeighbourhood, type Start, type StartEntity } from './neighbourhood.js';
import { foldPairs, type ShownPair } from './pairs.js';
import { readPairs, type PairFilter, type FollowPairs, type ReadPairs } from './pairs.pg.js';

const FIND_NODE = 'SELECT kind FROM entity WHERE tenant = $1 AND id = $2 AND from_ix < $3';
const NODE_KINDS = ['user', 'client', 'agent', 'resource'] as const;

/** Users are drawn unasked only if there are no more grants than this, and if they fit. */
const MAX_GRANTS_UNFOLDED = 2_000;
const MAX_DEPTH = 3;

const FILTERS = [
  ...FILTER_PARAMETERS.user,
  ...FILTER_PARAMETERS.client,
  ...FILTER_PARAMETERS.agent,
  ...FILTER_PARAMETERS.resource,
] as const;
export const GRAPH_PARAMETERS = [...FILTERS, 'expand', 'depth', 'fold', 'from', 'to', 'as_of'] as const;

/**
 * Answers who is connected to what: clients and resources, or the neighbourhood of one node. Users are counted on
 * clients unless they fit or are asked for, or folded by team. `from` and `to` bound the usage that is counted; pairs without usage in the
 * window are drawn too.
 */
export function createGraphQuestion({
  ask,
  reader,
  follow,
}: {
  readonly ask: Ask;
  readonly reader: Reader;
  readonly follow: FollowPairs;
}) {
  return (tenant: string, query: unknown): Promise<GraphAnswer> => {
    const parameters = readParameters(query, GRAPH_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const window = readWindow(parameters);
    const expand = readExpand(parameters);
    const fold = readFold(parameters);

    return ask(
      tenant,
      async (snapshot) => {
        const filter: PairFilter = {
          users: await resolveFilter(snapshot, tenantKey, parameters, 'user'),
          clients: await resolveFilter(snapshot, tenantKey, parameters, 'client'),
          agents: await resolveFilter(snapshot, tenantKey, parameters, 'agent'),
          resources: await resolveFilter(snapshot, tenantKey, parameters, 'resource'),
        };
        const node = expand?.id === undefined ? undefined : await findNode(snapshot, expand.id);
        const read = await readPairs(snapshot, follow, filter, windowAt(window, snapshot.at));
        const pairs = foldPairs(read.pairs);
        const held = createGrantReader(snapshot, pairs, read, filter);
        const ofUsers = expand?.iss === undefined ? undefined : await held.ofIssuer(expand.iss);
        const start: Start | undefined =
          expand?.iss === undefined
            ? node && shownStart(node, read)
            : { type: 'issuer' as const, iss: expand.iss, clients: ofUsers ?? [] };
        const symbolsOf = async (ids: readonly number[]) => createSymbols(await readParts(snapshot, ids));
        const drawing = start
          ? await drawNeighbourhood({ start, depth: expand!.depth, pairs, grants: held, symbolsOf })
          : await drawWhole(pairs, held, filter, fold, symbolsOf);
        if (expand?.iss !== undefined && ofUsers === undefined && drawing.nodes.length === 1)
          throw new RescindError('not-found', { detail: 'no issuer of this name has been seen' });
        return {
          as_of: asOfOf(snapshot),
          ...(await describeDrawing(snapshot, drawing, pairs, {
            detailsOf: read.detailsOf,
            grantsCut: held.cut(),
          })),
        };
      },
      readAsOf(parameters),
      { timeoutMs: COUNTING_TIMEOUT_MS },
    );
  };
}

async function drawWhole(
  pairs: readonly ShownPair[],
  held: ReturnType<typeof createGrantReader>,
  filter: PairFilter,
  fold: GraphAnswer['fold'] | undefined,
  symbolsOf: (ids: readonly number[]) => Promise<Symbols>,
): Promise<Drawing> {
  const entities = [...new Set(pairs.flatMap(({ client, res, agents }) => [client, res, ...agents]))];
  if (fold === 'teams') {
    const teams = await held.ofTeams();
    const users = teams.reduce((sum, { users: inTeam }) => sum + inTeam, 0);
    return { ...drawGraph({ pairs, grants: undefined, users, teams }, await symbolsOf(entities)), fold };
  }
  const folded = async (): Promise<Drawing> => ({
    ...drawGraph({ pairs, grants: undefined, users: 0 }, await symbolsOf(entities)),
    fold: 'users',
  });
  const few = pairs.reduce((sum, { grants }) => sum + grants, 0) <= MAX_GRANTS_UNFOLDED;
  if (fold === 'users' || (fold === undefined && !filter.users && !few)) return folded();
  const { grants, users } = await held.ofClients([...new Set(pairs.map(({ client }) => client))], MAX_GRAPH_NODES);
  if (fold === undefined && !filter.users && users >= MAX_GRAPH_NODES) return folded();
  const symbols = await symbolsOf([...entities, ...grants.map(({ usr }) => usr)]);
  const whole = drawGraph({ pairs, grants, users }, symbols);
  return fold === undefined && !filter.users && whole.left_out.users > 0 ? folded() : whole;
}

const shownStart = (node: StartEntity, { shownAs }: ReadPairs): Start => ({
  ...node,
  id: node.type === 'client' ? shownAs(node.id) : node.id,
});

async function findNode(snapshot: Snapshot, id: number): Promise<StartEntity> {
  const [row] = await snapshot.rows<{ kind: number }>(FIND_NODE, [id, String(snapshot.index)]);
  const type = NODE_KINDS.find((kind) => ENTITY_KINDS[kind] === row?.kind);
  if (type === undefined)
    throw new RescindError('not-found', { detail: 'no user, client, agent or resource of this id has been seen' });
  return { id, type };
}

/** The node to expand: an entity by its id, or an issuer by its name. */
type Expand = { readonly depth: number } & (
  | { readonly id: number; readonly iss?: undefined }
  | { readonly id?: undefined; readonly iss: string }
);

function readExpand(parameters: Parameters): Expand | undefined {
  const text = parameters.get('expand');
  const depth = parameters.get('depth') ?? '1';
  if (text === undefined) {
    if (parameters.has('depth')) throw inconsistent('`depth` goes with `expand`');
    return undefined;
  }
  const beside = [...FILTERS, 'fold'].find((name) => parameters.has(name));
  if (beside !== undefined)
    throw inconsistent(`give \`expand\` or \`${beside}\`, not both: a neighbourhood is drawn whole`);
  if (!/^[1-3]$/.test(depth)) throw invalid(`\`depth\` is 1 to ${MAX_DEPTH}`);
  if (text.startsWith(ISSUER_NODE) && text !== ISSUER_NODE)
    return { iss: text.slice(ISSUER_NODE.length), depth: Number(depth) };
  const id = entityIdOf(text);
  if (id === undefined)
    throw invalid('`expand` is the id of a node: a decimal number for an entity, `issuer:` and a name for an issuer');
  return { id, depth: Number(depth) };
}

function readFold(parameters: Parameters): GraphAnswer['fold'] | undefined {
  const fold = parameters.get('fold');
  if (fold !== undefined && fold !== 'users' && fold !== 'teams' && fold !== 'none')
    throw invalid('`fold` is `users`, `teams` or `none`');
  return fold;
}
