import type { PoolClient } from 'pg';
import { eventsNaming, type RuleEventName } from '../../contracts/index.js';
import {
  byteaArray,
  int2Array,
  int4Array,
  int8Array,
  loadSql,
  textArray,
  uuidArray,
} from '../../platform/postgres/index.js';
import { isEnabling, ruleKey, ruleKeyToBytes, ruleTimeOf, userParts } from '../../rules/index.js';
import type { EntityBatch, EntityRef } from '../entities.pg.js';
import { only, type ProjectedEvent } from '../event.js';
import { foldVersions, type Change, type Version } from '../versions.js';

const WRITE_SESSIONS = loadSql(import.meta.url, 'write-sessions.sql');
const READ_OPEN = loadSql(import.meta.url, 'read-open-principals.sql');
const CLOSE = loadSql(import.meta.url, 'close-principals.sql');
const OPEN = loadSql(import.meta.url, 'open-principals.sql');

/** States as stored numbers. */
export const PRINCIPAL_STATES = { disabled: 0, enabled: 1 } as const;

/** Plans IdP sessions, and the state (enabled or disabled) of users and clients that their IdP last stated. */
export function planSessions(events: readonly ProjectedEvent[], entities: EntityBatch) {
  const sessions = only(events, 'id-jag.issued', 'session.ended').flatMap((event) => {
    const { iss, sid, sub } = event.data;
    if (sid === undefined) return [];
    return [
      { event, iss, sid, user: entities.want(event, 'user', userParts({ iss, tenant: event.data.tenant, sub })) },
    ];
  });
  const principals = planPrincipals(events, entities);

  return async function write(client: PoolClient): Promise<void> {
    if (sessions.length > 0) {
      await client.query(WRITE_SESSIONS, [
        uuidArray(sessions.map(({ event }) => event.tenant)),
        byteaArray(
          sessions.map(({ event, iss, sid }) => ruleKeyToBytes(ruleKey(event.tenantKey, 'session', [iss, sid]))),
        ),
        int8Array(sessions.map(({ event }) => event.ix)),
        textArray(sessions.map(({ iss }) => iss)),
        textArray(sessions.map(({ sid }) => sid)),
        int4Array(sessions.map(({ user }) => entities.id(user))),
        int8Array(sessions.map(({ event }) => (event.name === 'session.ended' ? event.ix : null))),
      ]);
    }
    await principals(client);
  };
}

interface PrincipalState {
  readonly state: number;
  /** Time of the event that decided the state, epoch milliseconds. */
  readonly atMs: number;
}

type PrincipalEvent = ProjectedEvent<RuleEventName<'user' | 'client'>>;
const PRINCIPAL_EVENTS = eventsNaming('user', 'client');

function planPrincipals(events: readonly ProjectedEvent[], entities: EntityBatch) {
  const said = only(events, ...PRINCIPAL_EVENTS).flatMap((event) =>
    principalsOf(event, entities).map((entity) => ({ event, entity })),
  );

  return async function write(client: PoolClient): Promise<void> {
    if (said.length === 0) return;
    const keyOf = ({ event, entity }: (typeof said)[number]): string => `${event.tenant}|${entities.id(entity)}`;
    const { rows } = await client.query<{
      tenant: string;
      entity: number;
      from_ix: string;
      state: number;
      at_ms: string;
    }>(READ_OPEN, [
      uuidArray(said.map(({ event }) => event.tenant)),
      int4Array(said.map(({ entity }) => entities.id(entity))),
    ]);
    const open = new Map<string, Version<PrincipalState>>(
      rows.map((row) => {
        const key = `${row.tenant}|${row.entity}`;
        return [
          key,
          { key, from: BigInt(row.from_ix), to: undefined, state: { state: row.state, atMs: Number(row.at_ms) } },
        ];
      }),
    );
    const changes = said.map(
      (one): Change<PrincipalState> => ({ key: keyOf(one), ix: one.event.ix, evolve: evolve(one.event) }),
    );
    const { closed, opened } = foldVersions(open, changes);
    const identity = (versions: readonly Version<PrincipalState>[]): Buffer[] => [
      uuidArray(versions.map(({ key }) => key.split('|')[0]!)),
      int4Array(versions.map(({ key }) => Number(key.split('|')[1]))),
      int8Array(versions.map(({ from }) => from)),
      int8Array(versions.map(({ to }) => to)),
    ];
    if (closed.length > 0) await client.query(CLOSE, identity(closed));
    if (opened.length === 0) return;
    await client.query(OPEN, [
      ...identity(opened),
      int2Array(opened.map(({ state }) => state.state)),
      int8Array(opened.map(({ state }) => state.atMs)),
    ]);
  };
}

function principalsOf(event: PrincipalEvent, entities: EntityBatch): EntityRef[] {
  if ('sub' in event.data) return [entities.want(event, 'user', userParts(event.data))];
  const { iss, idp_client_id, ras } = event.data;
  return [
    entities.want(event, 'client', [iss, idp_client_id]),
    ...ras.map((client) => entities.want(event, 'client', [client.iss, client.client_id])),
  ];
}

/** Folds an event: event time decides, whatever the order of arrival. A tie stays disabled, as a block stays in a tie (design, section 3). */
const evolve =
  (event: PrincipalEvent) =>
  (before: PrincipalState | undefined): PrincipalState => {
    const state = isEnabling(event.name) ? PRINCIPAL_STATES.enabled : PRINCIPAL_STATES.disabled;
    const atMs = ruleTimeOf(event.name, event.atMs, event.arrivalMs);
    if (before && (atMs < before.atMs || (atMs === before.atMs && before.state === PRINCIPAL_STATES.disabled)))
      return before;
    return { state, atMs };
  };
