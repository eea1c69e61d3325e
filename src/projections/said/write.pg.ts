import type { PoolClient } from 'pg';
import { int4Array, int8Array, jsonbArray, loadSql, textArray, uuidArray } from '../../platform/postgres/index.js';
import { userParts } from '../../rules/index.js';
import type { EntityBatch, EntityRef } from '../entities.pg.js';
import { only, type ProjectedEvent } from '../event.js';

const WRITE = loadSql(import.meta.url, 'write-said.sql');

/**
 * Events that say something of users, clients, agents and resources by name, apart from what is issued and used. Those have tables of
 * their own.
 */
export const SAID_EVENTS = [
  'user.disabled',
  'user.enabled',
  'session.ended',
  'client.disabled',
  'client.enabled',
  'connection.created',
  'connection.updated',
  'connection.deleted',
  'id-jag.denied',
  'token.denied',
] as const;
export type SaidEvent = (typeof SAID_EVENTS)[number];
type Said = ProjectedEvent<SaidEvent>;

/** The entities that an event names, by their part in it. `others` are further names of the client. */
interface Named {
  readonly user?: EntityRef | undefined;
  readonly client?: EntityRef | undefined;
  readonly agent?: EntityRef | undefined;
  readonly resources: readonly EntityRef[];
  readonly others: readonly EntityRef[];
}

/** The members of an event that people read beside its names. */
interface Details {
  readonly sid?: string | undefined;
  readonly scope?: string | undefined;
  readonly error?: string | undefined;
  readonly reason?: string | undefined;
}

/** Plans one row for each entity that an event names, so that all that sources said of an entity is one range of the table. */
export function planSaid(events: readonly ProjectedEvent[], entities: EntityBatch) {
  const said = only(events, ...SAID_EVENTS).map((event) => ({ event, named: namesOf(event, entities) }));

  return async function write(client: PoolClient): Promise<void> {
    const rows = said.flatMap(({ event, named }) =>
      entitiesOf(named, entities).map((entity) => ({ event, named, entity })),
    );
    if (rows.length === 0) return;
    const idOf = (ref: EntityRef | undefined): number | null => (ref === undefined ? null : entities.id(ref));
    await client.query(WRITE, [
      uuidArray(rows.map(({ event }) => event.tenant)),
      int4Array(rows.map(({ entity }) => entity)),
      int8Array(rows.map(({ event }) => event.atMs)),
      int8Array(rows.map(({ event }) => event.ix)),
      textArray(rows.map(({ event }) => event.name)),
      uuidArray(rows.map(({ event }) => event.source)),
      int4Array(rows.map(({ named }) => idOf(named.user))),
      int4Array(rows.map(({ named }) => idOf(named.client))),
      int4Array(rows.map(({ named }) => idOf(named.agent))),
      jsonbArray(rows.map(({ named }) => JSON.stringify(named.resources.map((one) => entities.id(one))))),
      jsonbArray(rows.map(({ event }) => JSON.stringify(detailsOf(event)))),
    ]);
  };
}

const entitiesOf = ({ user, client, agent, resources, others }: Named, entities: EntityBatch): number[] => [
  ...new Set([user, client, agent, ...resources, ...others].flatMap((ref) => (ref ? [entities.id(ref)] : []))),
];

function namesOf(event: Said, entities: EntityBatch): Named {
  const client = (iss: string, id: string | undefined): EntityRef | undefined =>
    id === undefined ? undefined : entities.want(event, 'client', [iss, id]);
  const agent = (iss: string, stated: { readonly id?: string } | undefined): EntityRef | undefined =>
    stated?.id === undefined ? undefined : entities.want(event, 'agent', [iss, stated.id]);
  const resources = (uris: readonly string[] | undefined, aud: readonly string[] = []): EntityRef[] =>
    (uris && uris.length > 0 ? uris : aud).map((uri) => entities.want(event, 'resource', [uri]));
  const user = (said: { readonly iss: string; readonly tenant?: string; readonly sub?: string }) =>
    said.sub === undefined
      ? undefined
      : entities.want(event, 'user', userParts({ iss: said.iss, tenant: said.tenant, sub: said.sub }));
  switch (event.name) {
    case 'user.disabled':
    case 'user.enabled':
    case 'session.ended':
      return { user: user(event.data), resources: [], others: [] };
    case 'client.disabled':
    case 'client.enabled': {
      const { iss, idp_client_id: id, ras } = event.data;
      const others = ras.map((one) => entities.want(event, 'client', [one.iss, one.client_id]));
      return { client: client(iss, id), resources: [], others };
    }
    case 'connection.created':
    case 'connection.updated':
    case 'connection.deleted':
    case 'id-jag.denied': {
      const { iss, aud, client_id: local, idp_client_id: id, resource } = event.data;
      const idpClient = client(iss, id)!;
      return {
        user: event.name === 'id-jag.denied' ? user(event.data) : undefined,
        client: client(aud[0]!, local) ?? idpClient,
        agent: agent(iss, event.data.agent),
        resources: resources(resource, aud),
        others: [idpClient],
      };
    }
    case 'token.denied': {
      const { iss, id_jag: idJag, client_id: local, aud, resource } = event.data;
      return {
        user: user(idJag),
        client: client(iss, local ?? idJag.client_id),
        agent: agent(idJag.iss, idJag.agent),
        resources: resources(resource, aud),
        others: [],
      };
    }
  }
}

function detailsOf({ data }: Said): Details {
  const { sid, scope, error, reason } = data as Details;
  return { sid, scope, error, reason };
}
