import type { PoolClient } from 'pg';
import {
  byteaArray,
  CopyRows,
  int4Array,
  int8Array,
  loadSql,
  textArray,
  uuidArray,
} from '../../platform/postgres/index.js';
import { ruleKey, ruleKeyToBytes, tokenParts, type TokenRef } from '../../rules/index.js';
import type { EntityBatch, EntityRef } from '../entities.pg.js';
import { only, type ProjectedEvent } from '../event.js';
import { scopesIn } from '../scopes.js';
import { closeUsers } from './close-users.pg.js';
import type { RouteBatch } from './routes.pg.js';
import { takeSnapshots } from './snapshots.pg.js';
import {
  createUseSums,
  OPERATIONS,
  OUTCOMES,
  type Account,
  type Attribution,
  type CountedUse,
  type UseSums,
} from './sums.pg.js';

/** Loads a statement. Its `{meets}` says whether a token's audience meets the resources of a use's source: usually the used resource, or another. */
const loadUseSql = (name: string): string =>
  loadSql(import.meta.url, name).replaceAll(
    /\{meets (\w) (\w)\}/g,
    (_, use: string, token: string) =>
      `(coalesce(${use}.res = ANY (${token}.res), false)
        OR EXISTS (SELECT FROM entity e WHERE e.tenant = ${token}.tenant AND e.id = ANY (${token}.res) AND e.key = ANY (${use}.source_res)))`,
  );

const BIND_USES = loadUseSql('bind-uses.sql');
const JUDGE_USES = loadUseSql('judge-uses.sql');
const FIND_TOKENS = loadUseSql('find-tokens.sql');
const ACCESS_COLUMNS =
  'tenant, ix, source, tok, at, until_at, op, outcome, status, route, addr, scopes, n, records, bytes, ' +
  'res, res_bound, bound_ix, usr, client, agent, agent_ix, source_res, foreign_ix';

type AccessEvent = ProjectedEvent<'access.allowed' | 'access.denied' | 'access.summary'>;

/** A token whose user, client or agent became known in this batch. */
export interface TouchedToken {
  readonly tenant: string;
  readonly key: Buffer;
}

/** A token as one source names it in its uses of one resource: they are attributed alike. */
interface Sight {
  readonly tenant: string;
  readonly source: string;
  readonly key: Buffer;
  readonly resource: EntityRef | undefined;
  readonly speaker: Speaker;
  /** Undefined until the token has come. */
  token?: FoundToken;
  account?: Account;
}

/** The resources that a source is registered for, as keys. */
interface Speaker {
  /** Position in the batch, from 1. */
  readonly number: number;
  readonly keys: readonly Buffer[];
}

interface FoundToken extends Pick<Attribution, 'usr' | 'client' | 'agent' | 'res'> {
  readonly ix: number;
  /** Index at which the user became known. */
  readonly boundIx: number | null;
  /** Index at which the agent became known, if that was later than the token. */
  readonly agentIx: number | null;
  /** Whether the token is for the source. A use of another token is foreign and attributed to nobody. */
  readonly meets: boolean;
}

interface Use {
  readonly event: AccessEvent;
  readonly sight: Sight;
  readonly scopes: readonly EntityRef[];
  readonly route: (() => EntityRef) | undefined;
  readonly address: EntityRef | undefined;
}

/** Foreign uses by source. */
type Foreign = Map<string, number>;

/** Plans uses, their sums, and the first use of each scope. A use that arrives before its token's lineage is attributed when the lineage arrives. */
export function planUsage(events: readonly ProjectedEvent[], entities: EntityBatch, routes: RouteBatch) {
  const { sightOf, sights, speakers } = createSights(entities);
  const uses = only(events, 'access.allowed', 'access.denied', 'access.summary').map((event): Use => {
    const { scope, route, client_address: address } = event.data;
    return {
      event,
      sight: sightOf(event),
      scopes: scopesIn(scope).map((one) => entities.want(event, 'scope', [one])),
      route: route === undefined ? undefined : routes.ask(event, route),
      address: address === undefined ? undefined : entities.want(event, 'address', [address]),
    };
  });

  /** Returns, by source, the uses that turned out to be foreign: their token is not for the source. */
  return async function write(
    client: PoolClient,
    touched: readonly TouchedToken[],
  ): Promise<ReadonlyMap<string, number>> {
    const sums = createUseSums();
    const foreign: Foreign = new Map();
    if (touched.length > 0) await attributeEarlier(client, touched, firstIndexes(events), sums, foreign);
    if (uses.length > 0) {
      await findTokens(client, [...sights.values()], [...speakers.values()], entities);
      await copyUses(client, uses, entities, sums, foreign);
    }
    await sums.write(client);
    await takeSnapshots(client, events);
    await closeUsers(client, events);
    return foreign;
  };
}

/** Collects the sights of a batch, which has far fewer of them than uses. */
function createSights(entities: EntityBatch) {
  const sights = new Map<string, Sight>();
  const speakers = new Map<readonly string[], Speaker>();

  function speakerOf({ tenantKey, sourceResources }: AccessEvent): Speaker {
    let speaker = speakers.get(sourceResources);
    if (speaker === undefined) {
      const keys = sourceResources.map((uri) => ruleKeyToBytes(ruleKey(tenantKey, 'resource', [uri])));
      speakers.set(sourceResources, (speaker = { number: speakers.size + 1, keys }));
    }
    return speaker;
  }

  function sightOf(event: AccessEvent): Sight {
    const { data, tenant, tenantKey, source, sourceResources } = event;
    // A source with several resources should state which one was used. If it does not, the token's first resource is taken once known.
    const used = data.resource?.[0] ?? (sourceResources.length === 1 ? sourceResources[0] : undefined);
    const resource = used === undefined ? undefined : entities.want(event, 'resource', [used]);
    const speaker = speakerOf(event);
    const parts = tokenParts(data.token as TokenRef);
    const name = `${source}${speaker.number}\0${used ?? ''}\0${parts.join('\0')}`;
    let sight = sights.get(name);
    if (sight === undefined) {
      const key = ruleKeyToBytes(ruleKey(tenantKey, 'token', parts));
      sights.set(name, (sight = { tenant, source, key, resource, speaker }));
    }
    return sight;
  }

  return { sightOf, sights, speakers };
}

/** Attributes the uses of earlier batches whose tokens have become known, or marks them as foreign. */
async function attributeEarlier(
  client: PoolClient,
  touched: readonly TouchedToken[],
  first: ReadonlyMap<string, bigint>,
  sums: UseSums,
  foreign: Foreign,
): Promise<void> {
  const tokens = [uuidArray(touched.map(({ tenant }) => tenant)), byteaArray(touched.map(({ key }) => key))];
  const firsts = int8Array(touched.map(({ tenant }) => first.get(tenant)!));
  type Bound = Attribution & CountedUse & { readonly fresh: boolean };
  const bound = await client.query<Bound>(BIND_USES, [...tokens, firsts]);
  for (const use of bound.rows) sums.add(sums.open(use), use, use.fresh);
  const judged = await client.query<{ source: string; n: number }>(JUDGE_USES, tokens);
  for (const { source, n } of judged.rows) addForeign(foreign, source, n);
}

const addForeign = (foreign: Foreign, source: string, n: number): void =>
  void foreign.set(source, (foreign.get(source) ?? 0) + n);

async function findTokens(
  client: PoolClient,
  sights: readonly Sight[],
  speakers: readonly Speaker[],
  entities: EntityBatch,
): Promise<void> {
  const { rows } = await client.query<FoundToken & { readonly nth: number }>(FIND_TOKENS, [
    uuidArray(sights.map(({ tenant }) => tenant)),
    byteaArray(sights.map(({ key }) => key)),
    int4Array(sights.map(({ resource }) => idOrNull(resource, entities))),
    int4Array(sights.map(({ speaker }) => speaker.number)),
    textArray(speakers.map(({ keys }) => `{${keys.map((key) => `"\\\\x${key.toString('hex')}"`).join(',')}}`)),
  ]);
  for (const { nth, ...token } of rows) sights[nth]!.token = token;
}

const idOrNull = (ref: EntityRef | undefined, entities: EntityBatch): number | null =>
  ref === undefined ? null : entities.id(ref);

/** Writes the uses of the batch, each attributed to whom its token belongs to, and adds them up. */
async function copyUses(
  client: PoolClient,
  uses: readonly Use[],
  entities: EntityBatch,
  sums: UseSums,
  foreign: Foreign,
): Promise<void> {
  const rows = new CopyRows('access', ACCESS_COLUMNS);
  for (const { event, sight, scopes: refs, route, address } of uses) {
    const { tenant, source, token, speaker } = sight;
    const { operation, status, records, bytes } = event.data;
    const ix = Number(event.ix);
    const isSummary = event.name === 'access.summary';
    const [at, until, n] = isSummary ? [event.data.from, event.data.to, event.data.count] : [event.at, event.at, 1];
    const [op, outcome] = [OPERATIONS[operation], OUTCOMES[outcomeOf(event)]];
    const scopes = refs.map((ref) => entities.id(ref));
    rows.row().uuid(tenant).int8(ix).uuid(source).bytes(sight.key).int8(at).int8(until).int2(op).int2(outcome);
    rows.int4(status).int4(idOrNull(route?.(), entities)).int4(idOrNull(address, entities));
    rows
      .bytes(scopes.length === 0 ? null : int4Array(scopes))
      .int8(n)
      .int8(records)
      .int8(bytes);
    sums.came(tenant, source, ix, n);

    const used = idOrNull(sight.resource, entities);
    if (token?.meets && token.boundIx !== null) {
      const boundIx = Math.max(ix, token.boundIx);
      const agentIx = token.agentIx !== null && token.agentIx > boundIx ? token.agentIx : null;
      const { usr, client: owner, agent } = token;
      const res = used ?? token.res;
      rows
        .int4(res)
        .bool(used === null ? true : null)
        .int8(boundIx)
        .int4(usr)
        .int4(owner)
        .int4(agent)
        .int8(agentIx);
      rows.bytes(null).int8(null);
      sight.account ??= sums.open({ tenant, source, usr, client: owner, agent, res });
      sums.add(sight.account, { boundIx, agentIx, at, until, scopes, op, outcome, n, records, bytes });
    } else {
      const foreignIx = token && !token.meets ? Math.max(ix, token.ix) : null;
      if (foreignIx !== null) addForeign(foreign, source, n);
      rows.int4(used).bool(null).int8(null).int4(null).int4(null).int4(null).int8(null);
      rows.bytes(byteaArray(speaker.keys)).int8(foreignIx);
    }
  }
  await rows.send(client);
}

/** Returns the first new index of each tenant. */
function firstIndexes(events: readonly ProjectedEvent[]): ReadonlyMap<string, bigint> {
  const first = new Map<string, bigint>();
  for (const { tenant, ix } of events) if (!first.has(tenant)) first.set(tenant, ix);
  return first;
}

const outcomeOf = (event: AccessEvent): keyof typeof OUTCOMES =>
  event.name === 'access.summary' ? event.data.outcome : event.name === 'access.allowed' ? 'allowed' : 'denied';
