import type { PoolClient } from 'pg';
import {
  byteaArray,
  int2Array,
  int4Array,
  int8Array,
  jsonbArray,
  loadSql,
  uuidArray,
} from '../../platform/postgres/index.js';
import { ruleKey, ruleKeyToBytes, userParts, type Parts } from '../../rules/index.js';
import type { EntityBatch, EntityRef } from '../entities.pg.js';
import { only, type ProjectedEvent } from '../event.js';
import type { SeenEdge } from '../grants/seen.pg.js';
import type { NewAlias } from '../grants/users.pg.js';
import { addScopes, scopesIn } from '../scopes.js';
import { foldVersions, type Change, type Version } from '../versions.js';

const READ_OPEN = loadSql(import.meta.url, 'read-open.sql');
const CLOSE = loadSql(import.meta.url, 'close.sql');
const OPEN = loadSql(import.meta.url, 'open.sql');
const WRITE_ALIASES = loadSql(import.meta.url, 'write-aliases.sql');

/** States as stored numbers. `observed`: the connection is known only from an ID-JAG, not from an administrator's event. */
export const CONNECTION_STATES = { deleted: 0, created: 1, observed: 2 } as const;

interface ConnectionState {
  readonly state: (typeof CONNECTION_STATES)[keyof typeof CONNECTION_STATES];
  /** Time of the last administrator's event, epoch seconds. An older event that arrives later changes nothing. */
  readonly at: number;
  /** Sorted. */
  readonly scopes: readonly string[];
  readonly agent: number | null;
}

type ConnectionEvent = ProjectedEvent<
  'id-jag.issued' | 'connection.created' | 'connection.updated' | 'connection.deleted'
>;

interface Named {
  readonly event: ConnectionEvent;
  readonly key: string;
  readonly id: Buffer;
  readonly parts: Parts;
  readonly idpClient: EntityRef;
  readonly client: EntityRef;
  readonly resource: EntityRef;
  readonly agent: EntityRef | undefined;
}

export interface WrittenConnections {
  readonly tied: readonly NewAlias[];
  readonly begun: readonly SeenEdge[];
}

/**
 * Plans connections (client application → resource application), as approved at the IdP or seen in its ID-JAGs, and aliases. The
 * writer returns the aliases and connections that are new. */
export function planConnections(events: readonly ProjectedEvent[], entities: EntityBatch) {
  const named = only(events, 'id-jag.issued', 'connection.created', 'connection.updated', 'connection.deleted').flatMap(
    (event) => nameConnections(event, entities),
  );
  const aliases = planAliases(events, entities);

  return async function write(client: PoolClient): Promise<WrittenConnections> {
    const tied = await aliases(client);
    if (named.length === 0) return { tied, begun: [] };
    const byKey = new Map(named.map((one) => [one.key, one]));
    const open = await readOpen(client, [...byKey.values()]);
    const { closed, opened } = foldVersions(
      open,
      named.map((one) => change(one, entities)),
    );
    const identity = (versions: readonly Version<ConnectionState>[]): Buffer[] => [
      uuidArray(versions.map(({ key }) => byKey.get(key)!.event.tenant)),
      byteaArray(versions.map(({ key }) => byKey.get(key)!.id)),
      int8Array(versions.map(({ from }) => from)),
    ];
    if (closed.length > 0) await client.query(CLOSE, [...identity(closed), int8Array(closed.map(({ to }) => to))]);
    if (opened.length === 0) return { tied, begun: [] };
    await client.query(OPEN, [
      ...identity(opened),
      int8Array(opened.map(({ to }) => to)),
      int2Array(opened.map(({ state }) => state.state)),
      int8Array(opened.map(({ state }) => state.at)),
      jsonbArray(opened.map(({ key }) => JSON.stringify(byKey.get(key)!.parts))),
      int4Array(opened.map(({ key }) => entities.id(byKey.get(key)!.idpClient))),
      int4Array(opened.map(({ key }) => entities.id(byKey.get(key)!.client))),
      int4Array(opened.map(({ key }) => entities.id(byKey.get(key)!.resource))),
      int4Array(opened.map(({ state }) => state.agent)),
      jsonbArray(opened.map(({ state }) => JSON.stringify(state.scopes))),
    ]);
    const begun = opened
      .filter(({ key }) => !open.has(key))
      .map(({ key, from: ix }) => ({
        tenant: byKey.get(key)!.event.tenant,
        client: entities.id(byKey.get(key)!.client),
        res: entities.id(byKey.get(key)!.resource),
        ix,
      }));
    return { tied, begun };
  };
}

function nameConnections(event: ConnectionEvent, entities: EntityBatch): Named[] {
  const { data } = event;
  const aud = data.aud[0]!;
  const resources = data.resource && data.resource.length > 0 ? data.resource : data.aud;
  return resources.map((resource) => {
    // Connection id (wire.md): IdP issuer, tenant, client at the IdP, aud, aud tenant, client at the RAS, resource.
    const parts = [
      data.iss,
      data.tenant ?? null,
      data.idp_client_id,
      aud,
      data.aud_tenant ?? null,
      data.client_id,
      resource,
    ];
    const id = ruleKeyToBytes(ruleKey(event.tenantKey, 'connection', parts));
    return {
      event,
      key: keyOf(event.tenant, id),
      id,
      parts,
      idpClient: entities.want(event, 'client', [data.iss, data.idp_client_id]),
      client: entities.want(event, 'client', [aud, data.client_id]),
      resource: entities.want(event, 'resource', [resource]),
      agent: data.agent?.id === undefined ? undefined : entities.want(event, 'agent', [data.iss, data.agent.id]),
    };
  });
}

const keyOf = (tenant: string, id: Buffer): string => `${tenant}|${id.toString('latin1')}`;

function change(named: Named, entities: EntityBatch): Change<ConnectionState> {
  const { event } = named;
  const scopes = scopesIn(event.data.scope);
  const stated = named.agent === undefined ? null : entities.id(named.agent);
  return {
    key: named.key,
    ix: event.ix,
    evolve: (before) =>
      event.name === 'id-jag.issued'
        ? observe(before, scopes, stated)
        : decide(before, event.name, event.at, scopes, stated),
  };
}

/** Folds an ID-JAG: it shows that the connection exists, and adds scopes to a connection that no administrator's event has named. */
function observe(
  before: ConnectionState | undefined,
  scopes: readonly string[],
  stated: number | null,
): ConnectionState {
  const agent = before?.agent ?? stated;
  if (before?.state === CONNECTION_STATES.created) return agent === before.agent ? before : { ...before, agent };
  const known = before?.state === CONNECTION_STATES.observed ? before.scopes : [];
  const all = addScopes(known, scopes);
  if (before?.state === CONNECTION_STATES.observed && all === known && agent === before.agent) return before;
  return { state: CONNECTION_STATES.observed, at: before?.at ?? 0, scopes: all, agent };
}

function decide(
  before: ConnectionState | undefined,
  name: 'connection.created' | 'connection.updated' | 'connection.deleted',
  at: number,
  scopes: readonly string[],
  stated: number | null,
): ConnectionState | undefined {
  if (before && at < before.at) return before;
  const state = name === 'connection.deleted' ? CONNECTION_STATES.deleted : CONNECTION_STATES.created;
  return { state, at, scopes: addScopes([], scopes), agent: stated ?? before?.agent ?? null };
}

interface OpenRow {
  tenant: string;
  id: Buffer;
  from_ix: string;
  state: ConnectionState['state'];
  at: string;
  scopes: string[];
  agent: number | null;
}

async function readOpen(
  client: PoolClient,
  named: readonly Named[],
): Promise<ReadonlyMap<string, Version<ConnectionState>>> {
  const { rows } = await client.query<OpenRow>(READ_OPEN, [
    uuidArray(named.map(({ event }) => event.tenant)),
    byteaArray(named.map(({ id }) => id)),
  ]);
  return new Map(
    rows.map((row) => {
      const key = keyOf(row.tenant, row.id);
      const state = { state: row.state, at: Number(row.at), scopes: row.scopes, agent: row.agent };
      return [key, { key, from: BigInt(row.from_ix), to: undefined, state }];
    }),
  );
}

/** Plans aliases. Two names of one client or user are tied only if one event states both (open questions D23, D24). */
function planAliases(events: readonly ProjectedEvent[], entities: EntityBatch) {
  const pairs = only(events, 'id-jag.issued', 'token.issued').flatMap((event) => aliasesOf(event, entities));
  return async function write(client: PoolClient): Promise<readonly NewAlias[]> {
    // Most pairs occur many times. The first of the batch is written, because its index counts.
    const first = new Map<string, Pair>();
    for (const pair of pairs) {
      const name = `${pair.event.tenant}|${entities.id(pair.local)}|${entities.id(pair.idp)}`;
      if (!first.has(name)) first.set(name, pair);
    }
    if (first.size === 0) return [];
    const tied = [...first.values()];
    const { rows } = await client.query<NewAlias>(WRITE_ALIASES, [
      uuidArray(tied.map(({ event }) => event.tenant)),
      int4Array(tied.map(({ local }) => entities.id(local))),
      int4Array(tied.map(({ idp }) => entities.id(idp))),
      int8Array(tied.map(({ event }) => event.ix)),
    ]);
    return rows;
  };
}

interface Pair {
  readonly event: ProjectedEvent;
  readonly local: EntityRef;
  readonly idp: EntityRef;
}

function aliasesOf(event: ProjectedEvent<'id-jag.issued' | 'token.issued'>, entities: EntityBatch): Pair[] {
  const pairs: Pair[] = [];
  const tie = (kind: 'user' | 'client', local: Parts, idp: Parts): number =>
    pairs.push({ event, local: entities.want(event, kind, local), idp: entities.want(event, kind, idp) });
  if (event.name === 'id-jag.issued') {
    const { data } = event;
    tie('client', [data.aud[0]!, data.client_id], [data.iss, data.idp_client_id]);
    if (data.aud_sub !== undefined) {
      tie('user', userParts({ iss: data.aud[0]!, tenant: data.aud_tenant, sub: data.aud_sub }), userParts(data));
    }
    return pairs;
  }
  const { data } = event;
  const stated = data.id_jag;
  if (stated?.sub !== undefined && data.sub !== undefined) {
    tie('user', userParts({ iss: data.iss, tenant: data.tenant, sub: data.sub }), [
      stated.iss,
      stated.tenant ?? null,
      stated.sub,
    ]);
  }
  return pairs;
}
