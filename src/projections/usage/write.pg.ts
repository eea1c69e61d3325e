import type { PoolClient } from 'pg';
import {
  byteaArray,
  int2Array,
  int4Array,
  int8Array,
  loadSql,
  textArray,
  uuidArray,
} from '../../platform/postgres/index.js';
import { ruleKey, ruleKeyToBytes, tokenParts, type TokenRef } from '../../rules/index.js';
import type { EntityBatch } from '../entities.pg.js';
import { only, type ProjectedEvent } from '../event.js';
import { scopesIn } from '../scopes.js';
import { closeUsers } from './close-users.pg.js';
import type { RouteBatch } from './routes.pg.js';
import { takeSnapshots } from './snapshots.pg.js';

/** Returns SQL that says whether a token's audience meets the resources of a use's source: usually the used resource, or another one. */
const meets = (use: string, token: string): string =>
  `(coalesce(${use}.res = ANY (${token}.res), false)
    OR EXISTS (SELECT FROM entity e WHERE e.tenant = ${token}.tenant AND e.id = ANY (${token}.res) AND e.key = ANY (${use}.source_res)))`;

const WRITE_USES = loadSql(import.meta.url, 'write-uses.sql').replace(
  /\{meets (\w) (\w)\}/g,
  (_, use: string, token: string) => meets(use, token),
);

/** Stored numbers: never change one. */
export const OPERATIONS = { read: 1, write: 2, delete: 3, export: 4, admin: 5 } as const;
export const OUTCOMES = { allowed: 1, denied: 2 } as const;

type AccessEvent = ProjectedEvent<'access.allowed' | 'access.denied' | 'access.summary'>;

/** A token whose user, client or agent became known in this batch. */
export interface TouchedToken {
  readonly tenant: string;
  readonly key: Buffer;
}

/** Plans uses, their sums, and the first use of each scope. A use that arrives before its token's lineage is bound when the lineage arrives. */
export function planUsage(events: readonly ProjectedEvent[], entities: EntityBatch, routes: RouteBatch) {
  const accesses = only(events, 'access.allowed', 'access.denied', 'access.summary').map((event) => ({
    event,
    refs: accessRefs(event, entities, routes),
  }));

  // Cached, because a batch has far fewer tokens than uses.
  const keys = new Map<string, Buffer>();
  const keyOf = ({ tenant, tenantKey, data }: AccessEvent): Buffer => {
    const parts = tokenParts(data.token as TokenRef);
    const name = `${tenant}${parts.join('\0')}`;
    let key = keys.get(name);
    if (key === undefined) keys.set(name, (key = ruleKeyToBytes(ruleKey(tenantKey, 'token', parts))));
    return key;
  };

  /** Returns, by source, the uses that turned out to be foreign: their token is not for the source. */
  return async function write(
    client: PoolClient,
    touched: readonly TouchedToken[],
  ): Promise<ReadonlyMap<string, number>> {
    const foreign = new Map<string, number>();
    if (touched.length > 0 || accesses.length > 0) {
      const first = firstIndexes(events);
      const id = (ref: Parameters<EntityBatch['id']>[0] | undefined): number | null =>
        ref === undefined ? null : entities.id(ref);
      const speakers = speakersOf(accesses.map(({ event }) => event));
      const { rows } = await client.query<{ source: string; uses: string }>(WRITE_USES, [
        uuidArray(touched.map(({ tenant }) => tenant)),
        byteaArray(touched.map(({ key }) => key)),
        int8Array(touched.map(({ tenant }) => first.get(tenant)!)),
        uuidArray(accesses.map(({ event }) => event.tenant)),
        int8Array(accesses.map(({ event }) => event.ix)),
        int8Array(accesses.map(({ event }) => (event.name === 'access.summary' ? event.data.from : event.at))),
        int8Array(accesses.map(({ event }) => (event.name === 'access.summary' ? event.data.to : event.at))),
        int4Array(accesses.map(({ refs }) => id(refs.resource))),
        textArray(
          accesses.map(({ refs }) =>
            refs.scopes.length === 0 ? null : `{${refs.scopes.map((ref) => entities.id(ref)).join(',')}}`,
          ),
        ),
        int2Array(accesses.map(({ event }) => OPERATIONS[event.data.operation])),
        int2Array(accesses.map(({ event }) => OUTCOMES[outcomeOf(event)])),
        int4Array(accesses.map(({ event }) => event.data.status)),
        int4Array(accesses.map(({ refs }) => id(refs.route?.()))),
        int4Array(accesses.map(({ refs }) => id(refs.address))),
        uuidArray(accesses.map(({ event }) => event.source)),
        byteaArray(accesses.map(({ event }) => keyOf(event))),
        int8Array(accesses.map(({ event }) => (event.name === 'access.summary' ? event.data.count : 1))),
        int8Array(accesses.map(({ event }) => event.data.records)),
        int8Array(accesses.map(({ event }) => event.data.bytes)),
        int4Array(speakers.ofUse),
        textArray(speakers.resources),
      ]);
      for (const { source, uses } of rows) foreign.set(source, Number(uses));
    }
    await takeSnapshots(client, events);
    await closeUsers(client, events);
    return foreign;
  };
}

/** Collects the distinct sets of resources that the sources are registered for, as keys, and for each use the number of its set, from 1. */
function speakersOf(accesses: readonly AccessEvent[]): {
  readonly ofUse: readonly number[];
  readonly resources: readonly string[];
} {
  const numbers = new Map<readonly string[], number>();
  const resources: string[] = [];
  const ofUse = accesses.map(({ tenantKey, sourceResources }) => {
    let number = numbers.get(sourceResources);
    if (number === undefined) {
      const keys = sourceResources.map(
        (uri) => `"\\\\x${ruleKeyToBytes(ruleKey(tenantKey, 'resource', [uri])).toString('hex')}"`,
      );
      number = resources.push(`{${keys.join(',')}}`);
      numbers.set(sourceResources, number);
    }
    return number;
  });
  return { ofUse, resources };
}

/** Returns the first new index of each tenant. */
function firstIndexes(events: readonly ProjectedEvent[]): ReadonlyMap<string, bigint> {
  const first = new Map<string, bigint>();
  for (const { tenant, ix } of events) if (!first.has(tenant)) first.set(tenant, ix);
  return first;
}

const outcomeOf = (event: AccessEvent): keyof typeof OUTCOMES =>
  event.name === 'access.summary' ? event.data.outcome : event.name === 'access.allowed' ? 'allowed' : 'denied';

function accessRefs(event: AccessEvent, entities: EntityBatch, routes: RouteBatch) {
  const { data } = event;
  // A source with several resources should state which one was used. If it does not, the token's first resource is taken once known.
  const resource = data.resource?.[0] ?? (event.sourceResources.length === 1 ? event.sourceResources[0] : undefined);
  return {
    resource: resource === undefined ? undefined : entities.want(event, 'resource', [resource]),
    scopes: scopesIn(data.scope).map((scope) => entities.want(event, 'scope', [scope])),
    route: data.route === undefined ? undefined : routes.ask(event, data.route),
    address: data.client_address === undefined ? undefined : entities.want(event, 'address', [data.client_address]),
  };
}
