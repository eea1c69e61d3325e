import type { IdJagIssued, TokenIssued } from '../../contracts/index.js';
import type { PoolClient } from 'pg';
import {
  byteaArray,
  int4Array,
  int8Array,
  jsonbArray,
  loadSql,
  textArray,
  uuidArray,
} from '../../platform/postgres/index.js';
import {
  createStatedNames,
  DIMENSION_TABLE,
  ruleKey,
  ruleKeyToBytes,
  tokenParts,
  tokenRef,
  userParts,
  type NameTaker,
  type TokenRef,
} from '../../rules/index.js';
import { ENTITY_DIMENSIONS, type EntityBatch, type EntityKind, type EntityRef } from '../entities.pg.js';
import { only, type ProjectedEvent } from '../event.js';
import type { TouchedToken } from '../usage/write.pg.js';
import { writeClientResources, writeStrayNames, type ClientResource } from './names.pg.js';

type TokenEvent = ProjectedEvent<'token.issued'>;
type IdJagEvent = ProjectedEvent<'id-jag.issued'>;

const WRITE_ID_JAGS = loadSql(import.meta.url, 'write-id-jags.sql');
const WRITE_TOKENS = loadSql(import.meta.url, 'write-tokens.sql');
const BIND_TOKENS = loadSql(import.meta.url, 'bind-tokens.sql');
const MARK_CONFLICTS = {
  token: loadSql(import.meta.url, 'mark-token-conflicts.sql'),
  id_jag: loadSql(import.meta.url, 'mark-id-jag-conflicts.sql'),
} as const;

/** Names that only facts state: no column of a token or an ID-JAG has them. */
const IN_FACTS = createStatedNames(ENTITY_DIMENSIONS.filter((one) => DIMENSION_TABLE[one].column === undefined));

/** A token or ID-JAG about which two events state different facts. It is never active again. */
export interface Conflict {
  readonly kind: 'token' | 'id_jag';
  readonly tenant: string;
  readonly key: Buffer;
  /** Index of the event that contradicts the facts. */
  readonly ix: bigint;
  readonly named: TokenRef;
}

/** A token or ID-JAG event with the key of its token or ID-JAG. */
export interface KeyedEvent {
  readonly event: { readonly tenant: string; readonly ix: bigint };
  readonly key: Buffer;
}

export interface WrittenTokens {
  /** The token and ID-JAG events of the batch, whether or not their facts are new. */
  readonly named: { readonly tokens: readonly KeyedEvent[]; readonly idJags: readonly KeyedEvent[] };
  /** Tokens whose user, client or agent became known in this batch. */
  readonly touched: readonly TouchedToken[];
  /** Tokens and ID-JAGs that became contradicted in this batch. */
  readonly conflicts: readonly Conflict[];
}

/** Plans the facts of ID-JAGs and tokens, and the user, client and agent of each token. */
export function planTokens(events: readonly ProjectedEvent[], entities: EntityBatch) {
  const idJags = only(events, 'id-jag.issued').map((event) => ({
    event,
    refs: idJagRefs(event, entities),
    key: idJagKeyOf(event),
    facts: factsOf(event.data),
  }));
  const tokens = only(events, 'token.issued').map((event) => ({
    event,
    refs: tokenRefs(event, entities),
    key: tokenKeyOf(event),
    facts: factsOf(event.data),
  }));

  return async function write(client: PoolClient): Promise<WrittenTokens> {
    const touched: TouchedToken[] = tokens.map(({ event, key }) => ({ tenant: event.tenant, key }));
    const newIdJags = idJags.length > 0 ? await writeIdJags(client, idJags, entities) : 0;
    const newTokens = tokens.length > 0 ? await writeTokens(client, tokens, entities) : 0;
    if (idJags.length > 0) {
      const { rows } = await client.query<TouchedToken>(BIND_TOKENS, identityColumns(idJags));
      touched.push(...rows);
    }
    if (idJags.length + tokens.length > 0) await writeStrayNames(client, tokens, idJags);
    if (tokens.length > 0) await writeClientResources(client, resourcesOf(tokens, entities));
    return {
      named: { tokens, idJags },
      touched,
      // If every row was new, there was no earlier row to contradict.
      conflicts: [
        ...(newTokens < tokens.length
          ? await markConflicts(
              client,
              'token',
              tokens.filter(({ event }) => event.firstSight !== true),
            )
          : []),
        ...(newIdJags < idJags.length ? await markConflicts(client, 'id_jag', idJags) : []),
      ],
    };
  };
}

const wanting = (event: TokenEvent | IdJagEvent, entities: EntityBatch): NameTaker => ({
  add: (dimension, parts) => entities.want(event, dimension as EntityKind, parts),
});

function idJagRefs(event: IdJagEvent, entities: EntityBatch) {
  const { data } = event;
  const user = entities.want(event, 'user', userParts(data));
  const client = entities.want(event, 'client', [data.aud[0]!, data.client_id]);
  const idpClient = entities.want(event, 'client', [data.iss, data.idp_client_id]);
  IN_FACTS.ofIdJag(data, wanting(event, entities));
  return {
    user,
    client,
    idpClient,
    agent: agentRef(event, entities, data.iss, data.agent),
  };
}

function tokenRefs(event: TokenEvent, entities: EntityBatch) {
  const { data } = event;
  const user = tokenUser(event, entities);
  const client = entities.want(event, 'client', [data.iss, data.client_id]);
  IN_FACTS.ofToken(data, wanting(event, entities));
  return {
    user,
    client,
    agent: data.id_jag?.agent
      ? agentRef(event, entities, data.id_jag.iss, data.id_jag.agent)
      : agentRef(event, entities, data.iss, data.agent),
    resources: [...new Set([...data.aud, ...(data.resource ?? [])])].map((uri) =>
      entities.want(event, 'resource', [uri]),
    ),
  };
}

/** Returns the user of a token: the IdP's user if the RAS states it, the RAS's own user if there is no ID-JAG, else undefined until the IdP's event. */
function tokenUser(event: TokenEvent, entities: EntityBatch): EntityRef | undefined {
  const { id_jag: idJag, sub, iss, tenant } = event.data;
  if (idJag?.sub !== undefined)
    return entities.want(event, 'user', userParts({ iss: idJag.iss, tenant: idJag.tenant, sub: idJag.sub }));
  if (idJag || sub === undefined) return undefined;
  return entities.want(event, 'user', userParts({ iss, tenant, sub }));
}

const resourcesOf = (
  tokens: readonly { readonly event: TokenEvent; readonly refs: ReturnType<typeof tokenRefs> }[],
  entities: EntityBatch,
): ClientResource[] =>
  tokens.flatMap(({ event: { tenant, ix }, refs }) =>
    refs.resources.map((ref) => ({ tenant, ix, client: entities.id(refs.client), res: entities.id(ref) })),
  );

function agentRef(
  event: TokenEvent | IdJagEvent,
  entities: EntityBatch,
  iss: string,
  agent: { id?: string } | undefined,
): EntityRef | undefined {
  return agent?.id === undefined ? undefined : entities.want(event, 'agent', [iss, agent.id]);
}

export const tokenKeyOf = (event: TokenEvent): Buffer =>
  ruleKeyToBytes(ruleKey(event.tenantKey, 'token', tokenParts(tokenRef(event.data))));

export const idJagKeyOf = (event: IdJagEvent): Buffer =>
  ruleKeyToBytes(ruleKey(event.tenantKey, 'id_jag', [event.data.iss, event.data.jti]));

const refKey = (
  event: { readonly tenantKey: Uint8Array },
  dimension: 'token' | 'id_jag',
  ref: TokenRef | undefined,
): Buffer | null => (ref === undefined ? null : ruleKeyToBytes(ruleKey(event.tenantKey, dimension, tokenParts(ref))));

function statedIdJagKey(event: TokenEvent): Buffer | null {
  const stated = event.data.id_jag;
  if (!stated) return null;
  const { iss, jti, sha256 } = stated;
  if (jti !== undefined) return refKey(event, 'id_jag', { iss, jti });
  return refKey(event, 'id_jag', sha256 === undefined ? undefined : { sha256 });
}

/** Returns the facts without `sequence`, which numbers the event: two events that differ only in it do not contradict each other. */
function factsOf(data: TokenIssued | IdJagIssued): string {
  const { sequence: _, ...facts } = data;
  return JSON.stringify(facts);
}

/** An event with values that are needed more than once. */
interface Keyed<E, Refs> {
  readonly event: E;
  readonly refs: Refs;
  readonly key: Buffer;
  readonly facts: string;
}

/** Writes ID-JAGs; returns how many were new. */
async function writeIdJags(
  client: PoolClient,
  rows: readonly Keyed<IdJagEvent, ReturnType<typeof idJagRefs>>[],
  entities: EntityBatch,
): Promise<number> {
  const { rowCount } = await client.query(WRITE_ID_JAGS, [
    uuidArray(rows.map(({ event }) => event.tenant)),
    byteaArray(rows.map(({ key }) => key)),
    byteaArray(
      rows.map(({ event }) =>
        refKey(event, 'id_jag', event.data.sha256 === undefined ? undefined : { sha256: event.data.sha256 }),
      ),
    ),
    int8Array(rows.map(({ event }) => event.ix)),
    int8Array(rows.map(({ event }) => event.seenSeq)),
    uuidArray(rows.map(({ event }) => event.source)),
    jsonbArray(rows.map(({ facts }) => facts)),
    int4Array(rows.map(({ refs }) => entities.id(refs.user))),
    int4Array(rows.map(({ refs }) => entities.id(refs.client))),
    int4Array(rows.map(({ refs }) => entities.id(refs.idpClient))),
    int4Array(rows.map(({ refs }) => idOrNull(refs.agent, entities))),
    byteaArray(
      rows.map(({ event: { tenantKey, data } }) =>
        data.sid === undefined ? null : ruleKeyToBytes(ruleKey(tenantKey, 'session', [data.iss, data.sid])),
      ),
    ),
    byteaArray(rows.map(({ event }) => refKey(event, 'token', event.data.parent))),
  ]);
  return rowCount!;
}

/** Writes tokens; returns how many were new. */
async function writeTokens(
  client: PoolClient,
  rows: readonly Keyed<TokenEvent, ReturnType<typeof tokenRefs>>[],
  entities: EntityBatch,
): Promise<number> {
  const { rowCount } = await client.query(WRITE_TOKENS, [
    uuidArray(rows.map(({ event }) => event.tenant)),
    byteaArray(rows.map(({ key }) => key)),
    int8Array(rows.map(({ event }) => event.ix)),
    int8Array(rows.map(({ event }) => event.seenSeq)),
    uuidArray(rows.map(({ event }) => event.source)),
    jsonbArray(rows.map(({ facts }) => facts)),
    int4Array(rows.map(({ refs }) => idOrNull(refs.user, entities))),
    int4Array(rows.map(({ refs }) => entities.id(refs.client))),
    int4Array(rows.map(({ refs }) => idOrNull(refs.agent, entities))),
    textArray(rows.map(({ refs }) => `{${refs.resources.map((ref) => entities.id(ref)).join(',')}}`)),
    byteaArray(rows.map(({ event }) => statedIdJagKey(event))),
    byteaArray(rows.map(({ event }) => refKey(event, 'token', event.data.parent))),
    int8Array(rows.map(({ event }) => event.data.iat)),
    int8Array(rows.map(({ event }) => event.data.exp)),
  ]);
  return rowCount!;
}

const idOrNull = (ref: EntityRef | undefined, entities: EntityBatch): number | null =>
  ref === undefined ? null : entities.id(ref);

type Identified = Pick<Keyed<TokenEvent | IdJagEvent, unknown>, 'event' | 'key' | 'facts'>;

const identityColumns = (rows: readonly Identified[]): Buffer[] => [
  uuidArray(rows.map(({ event }) => event.tenant)),
  byteaArray(rows.map(({ key }) => key)),
  int8Array(rows.map(({ event }) => event.ix)),
];

async function markConflicts(
  client: PoolClient,
  kind: Conflict['kind'],
  rows: readonly Identified[],
): Promise<readonly Conflict[]> {
  const marked = await client.query<{ nth: string; tenant: string; key: Buffer }>(MARK_CONFLICTS[kind], [
    ...identityColumns(rows),
    jsonbArray(rows.map(({ facts }) => facts)),
  ]);
  return marked.rows.map(({ nth, tenant, key }) => {
    const { event } = rows[Number(nth) - 1]!;
    return { kind, tenant, key, ix: event.ix, named: tokenRef(event.data) };
  });
}
