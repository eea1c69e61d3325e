import { json } from 'node:stream/consumers';
import type { Pool } from 'pg';
import { BLOCK_BITS, readClosedEdges, readOpenEdges, type EdgeSum } from '../../../src/projections/index.js';
import type { Questions } from '../../../src/query/index.js';
import { ACME, T } from './history.js';
import { AGENT, CRM, CRM_AS, IDP, WIKI, WIKI_AS } from './story.js';

/** A ledger that questions are asked of. */
export interface Deployment {
  readonly pool: Pool;
  readonly questions: Questions;
  /** Entries below it are there. */
  head(): bigint;
}

/** A question whose answer must not depend on anything that came at or after `asOf`. */
export interface AsOfQuestion {
  readonly name: string;
  ask(deployment: Deployment, asOf: bigint): Promise<unknown>;
}

type Filters = Readonly<Record<string, string>>;
type Question = (tenant: string, query: unknown) => Promise<object>;

/** Asked by HTTP's parameters; of a list all pages, in small ones, so that later pages are read as of the first too. `until`: `as_of` by another name. */
function asked(
  name: string,
  pick: (questions: Questions) => Question,
  parameters: Filters = {},
  limit?: number,
  moment = 'as_of',
): AsOfQuestion {
  return {
    name: `${name} ${new URLSearchParams(parameters)}`,
    async ask({ questions }, asOf) {
      const query = { ...parameters, [moment]: String(asOf), ...(limit === undefined ? {} : { limit: String(limit) }) };
      try {
        let page = (await pick(questions)(ACME, query)) as { items?: unknown[]; next?: string };
        const items = [...(page.items ?? [])];
        while (page.next !== undefined) {
          page = (await pick(questions)(ACME, { ...query, cursor: page.next })) as typeof page;
          items.push(...page.items!);
        }
        return { ...page, ...(page.items ? { items } : {}) };
      } catch (error) {
        // A name that was not seen yet is an answer as well.
        if ((error as { code?: string }).code === 'not-found') return 'not-found';
        throw error;
      }
    },
  };
}

const ALICE = { user_iss: IDP, user_tenant: 'acme', user_sub: 'alice' };
const ASSISTANT = { client_iss: IDP, client_id: 'assistant' };
const MAILER = { client_iss: CRM_AS, client_id: 'mailer-at-crm' };
const HOURS = { by: 'hour', from: String(T - (T % 3_600)), to: String(T - (T % 3_600) + 40 * 3_600) };

const PAIRS: AsOfQuestion = {
  name: 'uses by client and resource',
  async ask({ pool, head }, asOf) {
    const rows = async (
      sql: string | { readonly name?: string; readonly text: string },
      values: readonly unknown[] = [],
    ): Promise<any[]> =>
      (await pool.query({ ...(typeof sql === 'string' ? { text: sql } : sql), values: [ACME, ...values] })).rows;
    const names = new Map(
      (await rows('SELECT id, parts FROM entity WHERE tenant = $1')).map(({ id, parts }) => [
        id as number,
        JSON.stringify(parts),
      ]),
    );
    const moment = { index: asOf, present: asOf === head(), rows };
    const block = asOf >> BLOCK_BITS;
    const named = (sums: readonly EdgeSum[]) =>
      Object.fromEntries(sums.map(({ client, res, ...sum }) => [`${names.get(client)} ${names.get(res)}`, sum]));
    return { closed: named(await readClosedEdges(moment, block)), open: named(await readOpenEdges(moment, block, {})) };
  },
};

/** An entity by what it is called, not by its id. */
const searched = (q: string): AsOfQuestion => ({
  name: `search ${q}`,
  async ask({ questions }, asOf) {
    const { items, at_least } = await questions.search(
      { tenant: ACME, roles: { audit: {} } },
      { q, as_of: String(asOf), limit: '100' },
    );
    return {
      at_least,
      items: items
        .map(({ kind, match, name, iss, tenant, first_seen }) =>
          JSON.stringify([kind, match, name, iss, tenant, first_seen]),
        )
        .sort(),
    };
  },
});

const EVENTS: readonly Filters[] = [
  {},
  ALICE,
  ASSISTANT,
  { agent_iss: IDP, agent_id: AGENT.id },
  { resource: CRM },
  { resource: WIKI, operation: 'read', scope: 'b' },
];
const WHOLE_PAGES: readonly Filters[] = [
  {},
  { ...ALICE, agent_type: AGENT.type },
  { agent_type: AGENT.type },
  { resource: CRM, client_address: '192.0.2.1', outcome: 'allowed' },
];
const COUNTS: readonly Filters[] = [
  {},
  HOURS,
  ASSISTANT,
  { ...MAILER, ...HOURS },
  { resource: CRM },
  { resource: WIKI, ...HOURS },
  ALICE,
  { resource: CRM, operation: 'write' },
  { resource: CRM, operation: 'export' },
  { resource: CRM, client_address: '192.0.2.1' },
  { ...ASSISTANT, resource: WIKI },
  { agent_iss: IDP, agent_id: AGENT.id, route: '/b' },
];

const PAIRS_OF: readonly Filters[] = [{}, ASSISTANT, { resource: CRM }, { agent_iss: IDP, agent_id: AGENT.id }];
const STARTS: readonly Filters[] = [
  ALICE,
  ASSISTANT,
  { resource: CRM },
  { agent_iss: IDP, agent_id: AGENT.id },
  { session_iss: IDP, session_sid: 's-alice' },
  { id_jag_iss: IDP, id_jag_jti: 'j0' },
];
const AUDITOR = { id: 'acme-audit', tenant: ACME } as unknown as Parameters<Questions['reach']['blast']>[0];

const WINDOW = { from: String(T), to: String(T + 40_000) };

/** Asks for the graph around a node that is found by its name. */
const around = (parts: readonly (string | null)[], depth: string): AsOfQuestion => ({
  name: `graph around ${parts}`,
  async ask(deployment, asOf) {
    const { rows } = await deployment.pool.query('SELECT id FROM entity WHERE tenant = $1 AND parts = $2', [
      ACME,
      JSON.stringify(parts),
    ]);
    return rows.length === 0
      ? 'not-found'
      : asked('graph', ({ graph }) => graph, { expand: String(rows[0].id), depth }).ask(deployment, asOf);
  },
});

/** Leaves out the rules that stop the token and its state: the history's rule is only in the control state, and questions about the past read the ledger. */
const tokenByName =
  ({ token }: Questions): Question =>
  async (tenant, query) => {
    const { stopped_by: _, would_be_active: __, because: ___, ...answer } = await token.byName(tenant, query);
    return answer;
  };

const TIMELINES: readonly Filters[] = [
  ALICE,
  ASSISTANT,
  MAILER,
  { resource: CRM },
  { agent_iss: IDP, agent_id: AGENT.id },
];

/** Every question that takes `as_of`: a new one gets its rows here. Small ids are compared too: batches do not show in them either. */
export const AS_OF_QUESTIONS: readonly AsOfQuestion[] = [
  ...EVENTS.map((filters) => asked('access', ({ access }) => access, filters, 3)),
  ...WHOLE_PAGES.map((filters) => asked('access', ({ access }) => access, filters, 100)),
  ...COUNTS.map((filters) => asked('access/counts', ({ accessCounts }) => accessCounts, filters)),
  PAIRS,
  ...PAIRS_OF.map((filters) => asked('connections', ({ connections }) => connections, filters, 2)),
  ...[...PAIRS_OF, ALICE].map((filters) => asked('grants', ({ grants }) => grants, filters, 2)),
  ...[...PAIRS_OF, ALICE].map((filters) => asked('graph', ({ graph }) => graph, filters)),
  ...PAIRS_OF.map((filters) => asked('matrix', ({ matrix }) => matrix, filters)),
  asked('graph', ({ graph }) => graph, { fold: 'users', resource: WIKI, ...WINDOW }),
  asked('connections', ({ connections }) => connections, { ...MAILER, ...WINDOW }, 2),
  asked('grants', ({ grants }) => grants, { resource: CRM, ...WINDOW }, 2),
  ...[WINDOW, { agent_iss: IDP, agent_id: AGENT.id }].map((filters) =>
    asked('graph', ({ graph }) => graph, { ...ALICE, ...filters }),
  ),
  ...[ALICE, { resource: CRM }].map((filters) =>
    asked(
      'access review',
      ({ reports }) =>
        async (tenant, query) =>
          json((await reports.accessReview(tenant, query)).body) as Promise<object>,
      filters,
    ),
  ),
  around([IDP, 'acme', 'alice'], '2'),
  around([CRM], '3'),
  ...[IDP, WIKI_AS].map((iss) => asked('graph', ({ graph }) => graph, { expand: `issuer:${iss}`, depth: '2' })),
  asked('changes', ({ changes }) => changes, { since: '1' }, 5, 'until'),
  ...STARTS.map((start) =>
    asked(
      'blast radius',
      ({ reach }) =>
        (_, query) =>
          reach.blast(AUDITOR, query),
      start,
    ),
  ),
  asked(
    'reach',
    ({ reach }) =>
      (_, query) =>
        reach.reach(AUDITOR, query),
    { resource: CRM },
  ),
  asked('coverage', ({ coverage }) => coverage, {}, 2),
  ...['t0', 't1'].flatMap((jti) => [CRM_AS, WIKI_AS].map((iss) => asked('tokens', tokenByName, { iss, jti }))),
  ...TIMELINES.flatMap((filters, nth) => [
    asked('timeline', ({ timeline }) => timeline, filters, 3),
    asked('timeline', ({ timeline }) => timeline, { ...filters, ...(nth % 2 === 0 ? { by: 'hour' } : WINDOW) }, 100),
  ]),
  ...['a', 'assistant', 'ssist', 'exampl', IDP, '/', 't0', 'j1'].map(searched),
];
