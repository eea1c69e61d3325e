import { APP_NAMES } from '../organisation.js';
import { until, type Stage } from './stage.js';

/** The members that the demo reads in the answers of Rescind's read API. */
interface Page<T> {
  readonly items: readonly T[];
}
interface AccessItem {
  readonly index: string;
  readonly at: string;
  readonly attributed: boolean;
  readonly user: { readonly iss: string; readonly sub: string } | null;
  readonly client: { readonly client_id: string } | null;
  readonly agent: { readonly id: string } | null;
  readonly resource: { readonly uri: string } | null;
  readonly route: string | null;
  readonly outcome: 'allowed' | 'denied';
  readonly status: number | null;
  readonly records: number | null;
  readonly token: string;
}
interface ConnectionItem {
  readonly state: string;
  readonly client: { readonly iss: string; readonly client_id: string };
  readonly idp_client: { readonly iss: string; readonly client_id: string };
  readonly agent: { readonly id: string } | null;
  readonly resource: { readonly uri: string };
  readonly granted_scopes: readonly string[];
  readonly used_scopes: readonly string[];
  readonly users: number;
  readonly allowed: number;
  readonly denied: number;
}
interface GraphAnswer {
  readonly nodes: readonly {
    readonly id: string;
    readonly type: string;
    readonly name: string;
    readonly issuer?: string;
  }[];
  readonly edges: readonly {
    readonly type: 'connection' | 'grant' | 'agent';
    readonly from: string;
    readonly to: string;
    readonly state?: string;
    readonly allowed?: number;
    readonly denied?: number;
    readonly resources?: number;
  }[];
}

/** Items on one page of the read API, at most. */
const PAGE = 100;

/** Prints who is connected to what, once every call of the sandbox has arrived. */
export async function showGraph(stage: Stage): Promise<void> {
  const { printer, analyst } = stage;
  printer.section('What the security team sees');
  await printer.step(`The last of ${stage.calls()} API calls arrives in the ledger`, () => everyCallArrived(stage));
  const graph = await printer.step('GET /v1/graph: who is connected to what', () =>
    analyst.get<GraphAnswer>('/v1/graph'),
  );
  printer.table(['from', '', 'to', 'state', 'calls allowed', 'denied'], graphRows(stage, graph));
  const { items } = await printer.step('GET /v1/connections: what was granted, and what of it was used', () =>
    analyst.get<Page<ConnectionItem>>(`/v1/connections?limit=${PAGE}`),
  );
  printer.table(
    ['client', 'resource', 'users', 'granted scopes', 'used scopes'],
    items
      .filter(({ idp_client }) => idp_client.iss === stage.sandbox.idp.issuer)
      .map((item) => [
        item.agent === null ? item.idp_client.client_id : `${item.idp_client.client_id} (agent)`,
        stage.nameOf(item.resource.uri),
        String(item.users),
        item.granted_scopes.join(' '),
        item.used_scopes.join(' '),
      ]),
  );
}

function graphRows(stage: Stage, { nodes, edges }: GraphAnswer): string[][] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const name = (id: string): string => {
    const node = byId.get(id);
    return node === undefined ? id : `${node.type} ${stage.nameOf(node.name)}`;
  };
  // A deployment may know the sandboxes of earlier demos; the issuers of those are left out.
  const isOurs = (id: string): boolean => {
    const node = byId.get(id);
    const issuer =
      node?.issuer === undefined ? node?.name : (byId.get(node.issuer)?.name ?? node.issuer.replace(/^issuer:/, ''));
    return issuer !== undefined && stage.nameOf(issuer) !== issuer;
  };
  const order = { agent: 0, grant: 1, connection: 2 };
  const verb = { agent: 'acts as', grant: 'lets act', connection: 'reaches' };
  return edges
    .filter(({ from, to }) => isOurs(from) && isOurs(to))
    .sort(
      (left, right) =>
        order[left.type] - order[right.type] ||
        name(left.from).localeCompare(name(right.from)) ||
        name(left.to).localeCompare(name(right.to)),
    )
    .map((edge) => [
      name(edge.from),
      verb[edge.type],
      name(edge.to),
      edge.state ?? '',
      edge.allowed === undefined ? '' : String(edge.allowed),
      edge.denied === undefined ? '' : String(edge.denied),
    ]);
}

/** Prints who accessed what, newest first, and returns the items printed. */
export async function showAccess(stage: Stage): Promise<readonly AccessItem[]> {
  const { printer } = stage;
  const items = await printer.step('GET /v1/access: who accessed what, newest first', () => everyCallArrived(stage));
  printer.table(
    ['user', 'through', 'at', 'call', 'outcome', 'records'],
    items.map((item) => [
      item.user?.sub ?? '(not yet known)',
      item.agent === null ? stage.nameOf(item.client?.client_id ?? '') : `${item.agent.id} (agent)`,
      stage.nameOf(item.resource?.uri ?? ''),
      item.route ?? '',
      item.status === null ? item.outcome : `${item.outcome} ${item.status}`,
      item.records === null ? '' : String(item.records),
    ]),
  );
  return items;
}

/**
 * Waits until the events of all calls have arrived, each attributed to its user. Calls and lineage come on different topics, in any order.
 */
function everyCallArrived(stage: Stage): Promise<readonly AccessItem[]> {
  return until('every call to arrive', async () => {
    const pages = await Promise.all(
      APP_NAMES.map((app) =>
        stage.analyst.get<Page<AccessItem>>(
          `/v1/access?limit=${PAGE}&resource=${encodeURIComponent(stage.sandbox.apps[app].resource)}`,
        ),
      ),
    );
    const items = pages.flatMap((page) => page.items).filter(({ attributed }) => attributed);
    if (items.length < stage.calls()) return undefined;
    return items.sort((left, right) => Number(BigInt(right.index) - BigInt(left.index)));
  });
}
