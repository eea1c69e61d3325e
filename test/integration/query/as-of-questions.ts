import type { Pool } from 'pg';
import { readEdgeUses } from '../../../src/projections/index.js';
import type { Questions } from '../../../src/query/index.js';
import { ACME, T } from './history.js';
import { AGENT, CRM, CRM_AS, IDP, WIKI } from './story.js';

/** A ledger that questions are asked of. */
export interface Deployment {
  readonly pool: Pool;
  readonly questions: Questions;
  /** Entries below it are there. */
  head(): bigint;
}

/** What must not depend on anything that came at or after `asOf`. */
export interface AsOfQuestion {
  readonly name: string;
  ask(deployment: Deployment, asOf: bigint): Promise<unknown>;
}

type Question = (tenant: string, query: unknown) => Promise<object>;

/** Asked by HTTP's parameters; of a list all pages, in small ones, so that later pages are read as of the first too. */
function asked(name: string, pick: (questions: Questions) => Question, parameters: Readonly<Record<string, string>> = {}, limit?: number): AsOfQuestion {
  return {
    name: `${name} ${new URLSearchParams(parameters)}`,
    async ask({ questions }, asOf) {
      const query = { ...parameters, as_of: String(asOf), ...(limit === undefined ? {} : { limit: String(limit) }) };
      try {
        let page = (await pick(questions)(ACME, query)) as { items?: unknown[]; next?: string };
        const items = [...(page.items ?? [])];
        while (page.next !== undefined) {
          page = (await pick(questions)(ACME, { ...query, cursor: page.next })) as typeof page;
          items.push(...page.items!);
        }
        return withoutIds({ ...page, ...(page.items ? { items } : {}) });
      } catch (error) {
        // A name that was not seen yet is an answer as well.
        if ((error as { code?: string }).code === 'not-found') return 'not-found';
        throw error;
      }
    },
  };
}

/** Small ids are given as names come up, batch by batch: two deployments give them differently. What they stand for is beside them. */
function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([member]) => member !== 'entity').map(([member, inner]) => [member, withoutIds(inner)]));
}

const ALICE = { user_iss: IDP, user_tenant: 'acme', user_sub: 'alice' };
const ASSISTANT = { client_iss: IDP, client_id: 'assistant' };
const MAILER = { client_iss: CRM_AS, client_id: 'mailer-at-crm' };
const HOURS = { by: 'hour', from: String(T - (T % 3_600)), to: String(T - (T % 3_600) + 40 * 3_600) };

const PAIRS: AsOfQuestion = {
  name: 'uses by client and resource',
  async ask({ pool, head }, asOf) {
    const rows = async (sql: string, values: readonly unknown[] = []): Promise<any[]> => (await pool.query(sql, [ACME, ...values])).rows;
    const names = new Map((await rows('SELECT id, parts FROM entity WHERE tenant = $1')).map(({ id, parts }) => [id as number, JSON.stringify(parts)]));
    const uses = await readEdgeUses({ index: asOf, present: asOf === head(), rows });
    return Object.fromEntries(uses.map(({ client, res, ...sums }) => [`${names.get(client)} ${names.get(res)}`, sums]));
  },
};

type Filters = Readonly<Record<string, string>>;
const EVENTS: readonly Filters[] = [{}, ALICE, ASSISTANT, { agent_iss: IDP, agent_id: AGENT.id }, { resource: CRM }, { resource: WIKI, operation: 'read', scope: 'b' }];
const WHOLE_PAGES: readonly Filters[] = [{}, { ...ALICE, agent_type: AGENT.type }, { resource: CRM, client_address: '192.0.2.1', outcome: 'allowed' }];
const COUNTS: readonly Filters[] = [
  {},
  HOURS,
  ASSISTANT,
  { ...MAILER, ...HOURS },
  { resource: CRM },
  { resource: WIKI, ...HOURS },
  ALICE,
  { resource: CRM, operation: 'write' },
  { ...ASSISTANT, resource: WIKI },
  { agent_iss: IDP, agent_id: AGENT.id, route: '/b' },
];

/** A list whose order is that of small ids: its items in the order of their text. */
const unordered = ({ name, ask }: AsOfQuestion): AsOfQuestion => ({
  name,
  async ask(deployment, asOf) {
    const answer = (await ask(deployment, asOf)) as { items?: unknown[] };
    return answer.items ? { ...answer, items: answer.items.map((item) => JSON.stringify(item)).sort() } : answer;
  },
});

/** A picture, with names in place of the small ids of its nodes. */
function drawn(parameters: Readonly<Record<string, string>>, expand?: readonly (string | null)[]): AsOfQuestion {
  return {
    name: `graph ${new URLSearchParams(parameters)} ${expand ?? ''}`,
    async ask({ pool, questions }, asOf) {
      const { rows } = await pool.query('SELECT id FROM entity WHERE tenant = $1 AND parts = $2', [ACME, JSON.stringify(expand ?? [])]);
      if (expand && rows.length === 0) return 'not-found';
      try {
        const { nodes, edges, ...rest } = await questions.graph(ACME, { ...parameters, as_of: String(asOf), ...(expand ? { expand: String(rows[0].id) } : {}) });
        const nameOf = new Map(nodes.map(({ id, type, issuer, tenant, name }) => [id, `${type} ${issuer} ${tenant} ${name}`]));
        const named = [
          ...nodes.map((node) => ({ ...node, id: nameOf.get(node.id) })),
          ...edges.map((edge) => ({ ...edge, from: nameOf.get(edge.from), to: nameOf.get(edge.to) })),
        ];
        return { ...rest, drawn: named.map((one) => JSON.stringify(one)).sort() };
      } catch (error) {
        if ((error as { code?: string }).code === 'not-found') return 'not-found';
        throw error;
      }
    },
  };
}

/** Between the first entry and the moment; lines of one entry stand in the order of small ids. */
const CHANGES: AsOfQuestion = {
  name: 'changes',
  async ask({ questions }, asOf) {
    const { items, ...rest } = await questions.changes(ACME, { since: '1', until: String(asOf), limit: '100' });
    const named = items.map((item) => JSON.stringify(withoutIds('agents' in item ? { ...item, agents: item.agents.map((one) => JSON.stringify(withoutIds(one))).sort() } : item)));
    return { ...rest, items: named.sort() };
  },
};

const CRM_WINDOW = { from: String(T), to: String(T + 40_000) };
const LISTS: readonly Filters[] = [{}, { agent_iss: IDP, agent_id: AGENT.id, ...CRM_WINDOW }];
const PICTURES: readonly Filters[] = [{}, { ...ALICE, agent_iss: IDP, agent_id: AGENT.id }, { resource: WIKI, fold: 'users', ...CRM_WINDOW }];

/** Every question that takes `as_of`: a new one gets its rows here. */
export const AS_OF_QUESTIONS: readonly AsOfQuestion[] = [
  ...EVENTS.map((filters) => asked('access', ({ access }) => access, filters, 3)),
  ...WHOLE_PAGES.map((filters) => asked('access', ({ access }) => access, filters, 100)),
  ...COUNTS.map((filters) => asked('access/counts', ({ accessCounts }) => accessCounts, filters)),
  PAIRS,
  ...LISTS.map((filters) => asked('connections', ({ connections }) => connections, filters, 2)),
  ...LISTS.map((filters) => unordered(asked('grants', ({ grants }) => grants, filters, 2))),
  ...PICTURES.map((filters) => drawn(filters)),
  drawn({ depth: '3' }, [CRM]),
  CHANGES,
];
