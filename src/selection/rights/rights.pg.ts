import { byteaArray, loadSql } from '../../platform/postgres/index.js';
import { MAX_COUNTED, personOf, type ReadsUses, type Snapshot } from '../../projections/index.js';
import { ruleKeyToBytes, type RuleKey, type Selector } from '../../rules/index.js';
import { Parameters } from '../decide/conditions.js';
import type { Members } from '../names/members.pg.js';

const RIGHTS = loadSql(import.meta.url, 'rights.sql').replace('{person}', () =>
  personOf('u.usr', '9223372036854775807'),
);
const HOUR_S = 3_600;

/** Counts of everything that stands behind the tokens that a rule stops. */
export interface Rights {
  readonly tokens: number;
  readonly usedInLastHour: number;
  readonly users: number;
  readonly grants: number;
  readonly connections: number;
  readonly atLeast: boolean;
}

/** Counts the rights that a rule ends now: those behind its tokens, and standing ones that it names. */
export async function countRights(
  snapshot: Snapshot,
  selector: Selector,
  members: Members,
  tokens: readonly RuleKey[],
): Promise<Rights> {
  const parameters = new Parameters([byteaArray(tokens.map(ruleKeyToBytes)), snapshot.at - HOUR_S, MAX_COUNTED]);
  const { standing, connections } = standingText(selector, members, parameters);
  const text = RIGHTS.replace('{standing}', () => standing).replace('{connections}', () => connections);
  const names = Object.keys(selector);
  // Only frequent statements get a name; the others have too many texts to keep prepared.
  const since = snapshot.at - HOUR_S;
  const uses: ReadsUses = () => [{ tok: tokens.map(ruleKeyToBytes), from: since }];
  const statement = names.length > 1 ? { text, uses } : { name: `rights-${names[0]!}`, text, uses };
  const counting = snapshot.rows<RightsRow>(statement, parameters.values);
  snapshot.ends();
  const [row] = await counting;
  return {
    tokens: Number(row!.tokens),
    usedInLastHour: Number(row!.used),
    users: Number(row!.users),
    grants: Number(row!.grants),
    connections: Number(row!.connections),
    atLeast: row!.cut_off,
  };
}

interface RightsRow {
  readonly [column: string]: unknown;
  readonly tokens: string;
  readonly used: string;
  readonly users: string;
  readonly grants: string;
  readonly connections: string;
  readonly cut_off: boolean;
}

/** The members of a selector that standing rights name. A rule with any other, such as a session, ends only the rights behind its tokens. */
const STANDING: ReadonlySet<string> = new Set(['all', 'issuer', 'user', 'client', 'agent', 'resource']);

/** Whether the rule ends standing rights. */
const isStanding = (selector: Selector): boolean =>
  Object.entries(selector).every(([name, value]) => value === undefined || STANDING.has(name));

const NO_GRANTS = 'SELECT NULL::int AS usr, NULL::int AS client, NULL::int AS res WHERE false';
const HELD_CONNECTIONS = '(c.client, c.res) IN (SELECT client, res FROM held)';

/** Builds the conditions of the standing rights and connections that a rule on their user, client or resource would select. */
function standingText(
  selector: Selector,
  { ids }: Members,
  parameters: Parameters,
): { readonly standing: string; readonly connections: string } {
  if (!isStanding(selector)) return { standing: NO_GRANTS, connections: HELD_CONNECTIONS };
  const { issuer, user, client, agent, resource } = selector;
  const grants = ['g.to_ix IS NULL'];
  const connections: string[] = [];
  if (user) {
    grants.push(`g.usr = ANY (${parameters.add(ids.get('user')!.covered, 'int[]')})`);
    connections.push(HELD_CONNECTIONS);
  }
  if (client) {
    const covered = parameters.add(ids.get('client')!.covered, 'int[]');
    grants.push(`g.client = ANY (${covered})`);
    connections.push(`(c.client = ANY (${covered}) OR c.idp_client = ANY (${covered}))`);
  }
  if (agent) {
    const id = parameters.add(ids.get('agent')!.id ?? null, 'int');
    grants.push(`g.agent = ${id}`);
    connections.push(`c.agent = ${id}`);
  }
  if (resource !== undefined) {
    const id = parameters.add(ids.get('resource')!.id ?? null, 'int');
    grants.push(`g.res = ${id}`);
    connections.push(`c.res = ${id}`);
  }
  if (issuer !== undefined) {
    const text = parameters.add(issuer, 'text');
    grants.push(
      `EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.id IN (g.usr, g.client) AND e.parts ->> 0 = ${text})`,
    );
    connections.push(`${text} IN (c.parts ->> 0, c.parts ->> 3)`);
  }
  return {
    standing: `SELECT g.usr, g.client, g.res FROM grant_version g WHERE g.tenant = $1 AND ${grants.join(' AND ')}`,
    connections: connections.length === 0 ? 'true' : connections.join(' AND '),
  };
}
