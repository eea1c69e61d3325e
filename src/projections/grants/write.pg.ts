import type { PoolClient } from 'pg';
import { int4Array, int8Array, jsonbArray, loadSql, textArray, uuidArray } from '../../platform/postgres/index.js';
import { userParts } from '../../rules/index.js';
import type { EntityBatch, EntityRef } from '../entities.pg.js';
import { only, type ProjectedEvent } from '../event.js';
import { addScopes, scopesIn } from '../scopes.js';
import { foldVersions, type Change, type Version } from '../versions.js';
import { sumEdges, type Edge, type EdgeWrites, type GrantState } from './edge-writes.js';
import type { NewGrant } from './users.pg.js';

const READ_OPEN = loadSql(import.meta.url, 'read-open.sql');
const CLOSE = loadSql(import.meta.url, 'close.sql');
const OPEN = loadSql(import.meta.url, 'open.sql');
const WRITE_EDGES = loadSql(import.meta.url, 'write-edges.sql');

interface Evidence {
  readonly event: ProjectedEvent<'id-jag.issued' | 'token.issued'>;
  readonly user: EntityRef;
  readonly client: EntityRef;
  readonly agent: EntityRef | undefined;
  readonly resource: EntityRef;
}

/** Plans grants (the standing right of a user, a client and a resource), as ID-JAGs and tokens show them. The writer returns the new grants. */
export function planGrants(events: readonly ProjectedEvent[], entities: EntityBatch) {
  const evidence = only(events, 'id-jag.issued', 'token.issued').flatMap((event) => evidenceOf(event, entities));

  return async function write(client: PoolClient): Promise<readonly NewGrant[]> {
    if (evidence.length === 0) return [];
    const byKey = new Map(evidence.map((one) => [keyOf(one, entities), one]));
    const open = await readOpen(client, byKey, entities);
    const { closed, opened } = foldVersions(
      open,
      evidence.map((one) => change(one, entities)),
    );
    if (closed.length > 0)
      await client.query(CLOSE, [...identity(closed, byKey, entities), int8Array(closed.map(({ to }) => to))]);
    if (opened.length === 0) return [];
    await client.query(OPEN, [
      ...identity(opened, byKey, entities),
      int8Array(opened.map(({ to }) => to)),
      jsonbArray(opened.map(({ state }) => JSON.stringify(state.scopes))),
      int4Array(opened.map(({ state }) => state.agent)),
      int4Array(laterOf(opened, open)),
    ]);
    const edgeOf = (key: string): Edge => {
      const one = byKey.get(key)!;
      return { tenant: one.event.tenant, client: entities.id(one.client), res: entities.id(one.resource) };
    };
    await writeEdges(client, sumEdges(opened, open, edgeOf));
    return opened
      .filter(({ key }) => !open.has(key))
      .map(({ key, from: ix }) => ({ ...edgeOf(key), user: entities.id(byKey.get(key)!.user), ix }));
  };
}

/** Returns 1 for each version that is not the first of its grant, else 0. */
function laterOf(opened: readonly Version<GrantState>[], open: ReadonlyMap<string, unknown>): readonly number[] {
  const met = new Set(open.keys());
  return opened.map(({ key }) => {
    const later = met.has(key);
    met.add(key);
    return later ? 1 : 0;
  });
}

async function writeEdges(client: PoolClient, { grants, scopes, agents }: EdgeWrites): Promise<void> {
  if (grants.length + scopes.length + agents.length === 0) return;
  const edges = (rows: readonly Edge[]): Buffer[] => [
    int4Array(rows.map((row) => row.client)),
    int4Array(rows.map(({ res }) => res)),
  ];
  const tenants = (rows: readonly Edge[]): Buffer => uuidArray(rows.map(({ tenant }) => tenant));
  await client.query(WRITE_EDGES, [
    tenants(grants),
    ...edges(grants),
    int8Array(grants.map(({ ix }) => ix)),
    int8Array(grants.map(({ more }) => BigInt(more))),
    tenants(scopes),
    ...edges(scopes),
    textArray(scopes.map(({ scope }) => scope)),
    int8Array(scopes.map(({ ix }) => ix)),
    tenants(agents),
    ...edges(agents),
    int4Array(agents.map(({ agent }) => agent)),
    int8Array(agents.map(({ ix }) => ix)),
  ]);
}

function evidenceOf(event: ProjectedEvent<'id-jag.issued' | 'token.issued'>, entities: EntityBatch): Evidence[] {
  const { data } = event;
  // A refresh token is only for its RAS (RFC 6749, section 1.5). The access tokens made from it show what may be done.
  if ('kind' in data && data.kind === 'refresh') return [];
  const stated = 'id_jag' in data ? data.id_jag : undefined;
  const subject = stated ?? data;
  // If the RAS states an ID-JAG without a subject, the token is no evidence of a grant; the IdP's event is.
  if (subject.sub === undefined) return [];
  const user = entities.want(event, 'user', userParts({ iss: subject.iss, tenant: subject.tenant, sub: subject.sub }));
  const ras = event.name === 'id-jag.issued' ? data.aud[0]! : data.iss;
  const client = entities.want(event, 'client', [ras, data.client_id]);
  const agent =
    subject.agent?.id === undefined ? undefined : entities.want(event, 'agent', [subject.iss, subject.agent.id]);
  const resources = data.resource && data.resource.length > 0 ? data.resource : data.aud;
  return resources.map((uri) => ({ event, user, client, agent, resource: entities.want(event, 'resource', [uri]) }));
}

function change(evidence: Evidence, entities: EntityBatch): Change<GrantState> {
  const granted = scopesIn(evidence.event.data.scope);
  return {
    key: keyOf(evidence, entities),
    ix: evidence.event.ix,
    evolve(before) {
      const scopes = addScopes(before?.scopes ?? [], granted);
      const agent = before?.agent ?? (evidence.agent === undefined ? null : entities.id(evidence.agent));
      if (before && scopes === before.scopes && agent === before.agent) return before;
      return { scopes, agent };
    },
  };
}

const keyOf = ({ event, user, client, resource }: Evidence, entities: EntityBatch): string =>
  `${event.tenant}|${entities.id(user)}|${entities.id(client)}|${entities.id(resource)}`;

async function readOpen(
  client: PoolClient,
  byKey: ReadonlyMap<string, Evidence>,
  entities: EntityBatch,
): Promise<ReadonlyMap<string, Version<GrantState>>> {
  const all = [...byKey.values()];
  const { rows } = await client.query<OpenRow>(READ_OPEN, [
    uuidArray(all.map(({ event }) => event.tenant)),
    int4Array(all.map(({ user }) => entities.id(user))),
    int4Array(all.map((one) => entities.id(one.client))),
    int4Array(all.map(({ resource }) => entities.id(resource))),
  ]);
  return new Map(
    rows.map((row) => {
      const key = `${row.tenant}|${row.usr}|${row.client}|${row.res}`;
      return [key, { key, from: BigInt(row.from_ix), to: undefined, state: { scopes: row.scopes, agent: row.agent } }];
    }),
  );
}

interface OpenRow {
  tenant: string;
  usr: number;
  client: number;
  res: number;
  from_ix: string;
  scopes: string[];
  agent: number | null;
}

function identity(
  versions: readonly Version<GrantState>[],
  byKey: ReadonlyMap<string, Evidence>,
  entities: EntityBatch,
): Buffer[] {
  const evidence = versions.map(({ key }) => byKey.get(key)!);
  return [
    uuidArray(evidence.map(({ event }) => event.tenant)),
    int4Array(evidence.map(({ user }) => entities.id(user))),
    int4Array(evidence.map(({ client }) => entities.id(client))),
    int4Array(evidence.map(({ resource }) => entities.id(resource))),
    int8Array(versions.map(({ from }) => from)),
  ];
}
