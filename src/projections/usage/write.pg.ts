import type { PoolClient } from 'pg';
import { loadSql } from '../../platform/index.js';
import { ruleKey, ruleKeyToBytes, tokenParts, type TokenRef } from '../../rules/index.js';
import type { EntityBatch } from '../entities.pg.js';
import { only, type ProjectedEvent } from '../event.js';

const WRITE_ACCESS = loadSql(import.meta.url, 'write-access.sql');
const BIND_ACCESS = loadSql(import.meta.url, 'bind-access.sql');

/** Stored numbers: never change one. */
export const OPERATIONS = { read: 1, write: 2, delete: 3, export: 4, admin: 5 } as const;
export const OUTCOMES = { allowed: 1, denied: 2 } as const;

type AccessEvent = ProjectedEvent<'access.allowed' | 'access.denied' | 'access.summary'>;

/** A token whose user, client or agent became known in this batch. */
export interface TouchedToken {
  readonly tenant: string;
  readonly key: Buffer;
}

/** Who used what, and the first use of each scope. Usage that came before its lineage is bound when the lineage comes. */
export function planUsage(events: readonly ProjectedEvent[], entities: EntityBatch) {
  const accesses = only(events, 'access.allowed', 'access.denied', 'access.summary').map((event) => ({
    event,
    refs: accessRefs(event, entities),
  }));

  return async function write(client: PoolClient, touched: readonly TouchedToken[]): Promise<void> {
    // What was there before this batch is bound first: the rows of the batch itself find their tokens when written.
    if (touched.length > 0) await client.query(BIND_ACCESS, [touched.map(({ tenant }) => tenant), touched.map(({ key }) => key)]);
    if (accesses.length === 0) return;
    const id = (ref: Parameters<EntityBatch['id']>[0] | undefined): number | null => (ref === undefined ? null : entities.id(ref));
    await client.query({
      name: 'write-access',
      text: WRITE_ACCESS,
      values: [
        accesses.map(({ event }) => event.tenant),
        accesses.map(({ event }) => String(event.ix)),
        accesses.map(({ event }) => (event.name === 'access.summary' ? event.data.from : event.at)),
        accesses.map(({ event }) => (event.name === 'access.summary' ? event.data.to : event.at)),
        accesses.map(({ refs }) => id(refs.resource)),
        accesses.map(({ refs }) => (refs.scopes.length === 0 ? null : `{${refs.scopes.map((ref) => entities.id(ref)).join(',')}}`)),
        accesses.map(({ event }) => OPERATIONS[event.data.operation]),
        accesses.map(({ event }) => OUTCOMES[outcomeOf(event)]),
        accesses.map(({ event }) => event.data.status ?? null),
        accesses.map(({ refs }) => id(refs.route)),
        accesses.map(({ refs }) => id(refs.address)),
        accesses.map(({ event }) => event.source),
        accesses.map(({ event }) => ruleKeyToBytes(ruleKey(event.tenantKey, 'token', tokenParts(event.data.token as TokenRef)))),
        accesses.map(({ event }) => (event.name === 'access.summary' ? event.data.count : 1)),
        accesses.map(({ event }) => event.data.records ?? null),
        accesses.map(({ event }) => event.data.bytes ?? null),
      ],
    });
  };
}

const outcomeOf = (event: AccessEvent): keyof typeof OUTCOMES =>
  event.name === 'access.summary' ? event.data.outcome : event.name === 'access.allowed' ? 'allowed' : 'denied';

function accessRefs(event: AccessEvent, entities: EntityBatch) {
  const { data } = event;
  // A source with several resources says which one was used; where it does not, the token's first one is taken when known.
  const resource = data.resource?.[0] ?? (event.sourceResources.length === 1 ? event.sourceResources[0] : undefined);
  return {
    resource: resource === undefined ? undefined : entities.want(event, 'resource', [resource]),
    scopes: (data.scope ?? '').split(' ').filter((scope) => scope !== '').map((scope) => entities.want(event, 'scope', [scope])),
    route: data.route === undefined ? undefined : entities.want(event, 'route', [data.route]),
    address: data.client_address === undefined ? undefined : entities.want(event, 'address', [data.client_address]),
  };
}
