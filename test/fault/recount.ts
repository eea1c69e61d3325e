import { parseAttributes } from '../../src/merkle/index.js';
import { addUpUses, type CountedUses } from './recount-uses.js';

/**
 * The contents that the projections must have, counted again from the ledger's payloads: one plain fold over the events in the order of
 * their indexes, with names in place of ids and nothing of the code under test. Slow on purpose.
 */
export interface Recount {
  readonly tokens: Readonly<Record<string, CountedToken>>;
  readonly idJags: Readonly<Record<string, CountedIdJag>>;
  readonly accesses: Readonly<Record<string, CountedAccess>>;
  readonly firstUse: Readonly<Record<string, string>>;
  readonly uses: CountedUses;
  readonly grants: readonly CountedGrant[];
  readonly connections: readonly CountedConnection[];
}

/** A name as its parts, in JSON. */
export type Name = string;

interface CountedToken {
  ix: string;
  user: Name | null;
  boundIx: string | null;
  client: Name;
  agent: Name | null;
  agentIx: string | null;
  resources: Name[];
  contradictedAt: string | null;
}

interface CountedIdJag {
  ix: string;
  user: Name;
  client: Name;
  idpClient: Name;
  agent: Name | null;
  contradictedAt: string | null;
}

export interface CountedAccess {
  source: string;
  boundIx: string | null;
  user: Name | null;
  client: Name | null;
  agent: Name | null;
  agentIx: string | null;
  resource: Name | null;
  resourceIsBound: boolean;
  scopes: string[];
  operation: string;
  outcome: string;
  from: number;
  to: number;
  n: number;
  records: number | null;
  bytes: number | null;
}

interface CountedGrant {
  user: Name;
  client: Name;
  resource: Name;
  from: string;
  to: string | null;
  scopes: string[];
  agent: Name | null;
}

interface CountedConnection {
  parts: Name;
  from: string;
  to: string | null;
  state: string;
  at: number;
  scopes: string[];
  agent: Name | null;
}

export interface PayloadRow {
  readonly ix: string;
  readonly type: string;
  readonly source: string;
  readonly mode: string;
  readonly attributes: Buffer;
  readonly bytes: Buffer;
}

export interface Said {
  readonly ix: string;
  readonly name: string;
  readonly source: string;
  readonly id: string;
  readonly time: string;
  // The payload's own words: whatever JSON holds.
  readonly data: any;
}

/** An event as its payload spells it, whichever way it came. */
export function readPayload({ ix, type, source, mode, attributes, bytes }: PayloadRow): Said {
  const name = /^dev\.rescind\.(.+)\.v1$/.exec(type)![1]!;
  const parsed = JSON.parse(bytes.toString('utf8'));
  if (mode !== 'binary') return { ix, name, source, id: parsed.id, time: parsed.time, data: parsed.data };
  const headers = new Map(
    parseAttributes(attributes)!.map(([header, value]) => [header, Buffer.from(value).toString('utf8')]),
  );
  return { ix, name, source, id: headers.get('ce_id')!, time: headers.get('ce_time')!, data: parsed };
}

const name = (...parts: (string | null | undefined)[]): Name => JSON.stringify(parts.map((part) => part ?? null));
const words = (scope: string | undefined): string[] => (scope ?? '').split(' ').filter((word) => word !== '');
const union = (...lists: string[][]): string[] => [...new Set(lists.flat())].sort();
const later = (one: string, other: string): string => (BigInt(one) > BigInt(other) ? one : other);
const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000);
const agentOf = (iss: string, agent: { id?: string } | undefined): Name | null =>
  agent?.id === undefined ? null : name(iss, agent.id);
const resourcesOf = (data: any): string[] => (data.resource?.length > 0 ? data.resource : data.aud);
const scopesDiffer = (one: string[], other: string[]): boolean => JSON.stringify(one) !== JSON.stringify(other);

/** `sequence` numbers the event and not the token. */
function sameFacts(one: any, other: any): boolean {
  const sorted = (value: any): any =>
    Array.isArray(value)
      ? value.map(sorted)
      : value !== null && typeof value === 'object'
        ? Object.fromEntries(
            Object.keys(value)
              .sort()
              .map((member) => [member, sorted(value[member])]),
          )
        : value;
  return JSON.stringify(sorted({ ...one, sequence: null })) === JSON.stringify(sorted({ ...other, sequence: null }));
}

const identity = (ref: any): string => ref.sha256 ?? ref.signing_input_sha256 ?? `${ref.iss}|${ref.jti}`;

/** `resourcesOfSource`: what a source is registered for, by its id. */
export function recount(events: readonly Said[], resourcesOfSource: ReadonlyMap<string, readonly string[]>): Recount {
  const of = (...names: string[]): Said[] => events.filter((event) => names.includes(event.name));
  const idJags = firstOfEach(of('id-jag.issued'), ({ data }) => `${data.iss}|${data.jti}`);
  const tokens = firstOfEach(of('token.issued'), ({ data }) => identity(data));
  const countedTokens = mapValues(tokens, (token) => countToken(token.first, token.contradictedAt, idJags));
  const accesses = Object.fromEntries(
    of('access.allowed', 'access.denied', 'access.summary').map((event) => [
      event.ix,
      countAccess(event, countedTokens, resourcesOfSource),
    ]),
  );
  return {
    tokens: countedTokens,
    idJags: mapValues(idJags, ({ first: { ix, data }, contradictedAt }) => ({
      ix,
      user: name(data.iss, data.tenant, data.sub),
      client: name(data.aud[0], data.client_id),
      idpClient: name(data.iss, data.idp_client_id),
      agent: agentOf(data.iss, data.agent),
      contradictedAt,
    })),
    accesses,
    firstUse: countFirstUse(Object.values(accesses)),
    uses: addUpUses(accesses),
    grants: countGrants(of('id-jag.issued', 'token.issued')),
    connections: countConnections(
      of('id-jag.issued', 'connection.created', 'connection.updated', 'connection.deleted'),
    ),
  };
}

interface Known {
  readonly first: Said;
  readonly contradictedAt: string | null;
}

function firstOfEach(events: readonly Said[], key: (event: Said) => string): Record<string, Known> {
  const known: Record<string, Known> = {};
  for (const event of events) {
    const before = known[key(event)];
    if (!before) known[key(event)] = { first: event, contradictedAt: null };
    else if (before.contradictedAt === null && !sameFacts(before.first.data, event.data))
      known[key(event)] = { ...before, contradictedAt: event.ix };
  }
  return known;
}

const mapValues = <T, U>(record: Record<string, T>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));

function countToken({ ix, data }: Said, contradictedAt: string | null, idJags: Record<string, Known>): CountedToken {
  const stated = data.id_jag;
  const idJag =
    stated &&
    (stated.jti === undefined
      ? Object.values(idJags).find(({ first }) => first.data.sha256 === stated.sha256)
      : idJags[`${stated.iss}|${stated.jti}`]);
  const own = stated
    ? stated.sub === undefined
      ? null
      : name(stated.iss, stated.tenant, stated.sub)
    : data.sub === undefined
      ? null
      : name(data.iss, data.tenant, data.sub);
  const fromIdp = idJag ? name(idJag.first.data.iss, idJag.first.data.tenant, idJag.first.data.sub) : null;
  const statedAgent = stated?.agent ? agentOf(stated.iss, stated.agent) : agentOf(data.iss, data.agent);
  const idpAgent = idJag ? agentOf(idJag.first.data.iss, idJag.first.data.agent) : null;
  return {
    ix,
    user: own ?? fromIdp,
    boundIx: own !== null || !stated ? ix : idJag ? later(ix, idJag.first.ix) : null,
    client: name(data.iss, data.client_id),
    agent: statedAgent ?? idpAgent,
    agentIx: statedAgent !== null ? ix : idpAgent !== null ? later(ix, idJag!.first.ix) : null,
    resources: [...new Set<string>([...data.aud, ...(data.resource ?? [])])].map((uri) => name(uri)),
    contradictedAt,
  };
}

function countAccess(
  { ix, name: type, time, source, data }: Said,
  tokens: Record<string, CountedToken>,
  resourcesOfSource: ReadonlyMap<string, readonly string[]>,
): CountedAccess {
  const token = tokens[identity(data.token)];
  const registered = resourcesOfSource.get(source)!;
  // A use of a token that is for others is attributed to nobody.
  const isOwn = token?.resources.some((resource) => registered.some((uri) => name(uri) === resource));
  const bound = token && isOwn && token.boundIx !== null ? token : undefined;
  const stated = data.resource?.[0] ?? (registered.length === 1 ? registered[0] : undefined);
  const isSummary = type === 'access.summary';
  const boundIx = bound ? later(ix, bound.boundIx!) : null;
  return {
    source,
    boundIx,
    user: bound?.user ?? null,
    client: bound?.client ?? null,
    agent: bound?.agent ?? null,
    agentIx: bound && bound.agentIx !== null ? later(boundIx!, bound.agentIx) : null,
    resource: stated === undefined ? (bound?.resources[0] ?? null) : name(stated),
    resourceIsBound: stated === undefined && bound !== undefined,
    scopes: words(data.scope),
    operation: data.operation,
    outcome: isSummary ? data.outcome : type === 'access.allowed' ? 'allowed' : 'denied',
    from: isSummary ? data.from : seconds(time),
    to: isSummary ? data.to : seconds(time),
    n: isSummary ? data.count : 1,
    records: data.records ?? null,
    bytes: data.bytes ?? null,
  };
}

function countFirstUse(accesses: readonly CountedAccess[]): Record<string, string> {
  const first: Record<string, string> = {};
  for (const { boundIx, user, client, resource, scopes, outcome } of accesses) {
    if (boundIx === null || user === null || resource === null || outcome !== 'allowed') continue;
    for (const scope of scopes) {
      const key = JSON.stringify([user, client, resource, scope]);
      if (first[key] === undefined || BigInt(boundIx) < BigInt(first[key])) first[key] = boundIx;
    }
  }
  return first;
}

function countGrants(events: readonly Said[]): CountedGrant[] {
  const versions: CountedGrant[] = [];
  for (const { ix, name: type, data } of events) {
    const subject = data.id_jag ?? data;
    // A refresh token gives no access to a resource.
    if (subject.sub === undefined || data.kind === 'refresh') continue;
    const user = name(subject.iss, subject.tenant, subject.sub);
    const client = name(type === 'id-jag.issued' ? data.aud[0] : data.iss, data.client_id);
    for (const resource of resourcesOf(data).map((uri) => name(uri))) {
      const open = versions.find(
        (one) => one.to === null && one.user === user && one.client === client && one.resource === resource,
      );
      const scopes = union(open?.scopes ?? [], words(data.scope));
      const agent = open?.agent ?? agentOf(subject.iss, subject.agent);
      if (open && !scopesDiffer(open.scopes, scopes) && open.agent === agent) continue;
      if (open) open.to = ix;
      versions.push({ user, client, resource, from: ix, to: null, scopes, agent });
    }
  }
  return versions;
}

function countConnections(events: readonly Said[]): CountedConnection[] {
  const versions: CountedConnection[] = [];
  for (const { ix, name: type, time, data } of events) {
    for (const resource of resourcesOf(data)) {
      const parts = name(
        data.iss,
        data.tenant,
        data.idp_client_id,
        data.aud[0],
        data.aud_tenant,
        data.client_id,
        resource,
      );
      const open = versions.find((one) => one.to === null && one.parts === parts);
      const stated = agentOf(data.iss, data.agent);
      const next =
        type === 'id-jag.issued'
          ? observed(open, words(data.scope), stated)
          : decided(open, type, seconds(time), words(data.scope), stated);
      if (!next) continue;
      if (open) open.to = ix;
      versions.push({ parts, from: ix, to: null, ...next });
    }
  }
  return versions;
}

type ConnectionState = Pick<CountedConnection, 'state' | 'at' | 'scopes' | 'agent'>;

/** Seen in an ID-JAG: widens what nobody has decided, takes a deleted one for a new sight of it, leaves a decided one alone. */
function observed(
  open: CountedConnection | undefined,
  scopes: string[],
  stated: Name | null,
): ConnectionState | undefined {
  const agent = open?.agent ?? stated;
  if (open?.state === 'created')
    return agent === open.agent ? undefined : { state: 'created', at: open.at, scopes: open.scopes, agent };
  const all = union(open?.state === 'observed' ? open.scopes : [], scopes);
  if (open?.state === 'observed' && !scopesDiffer(open.scopes, all) && open.agent === agent) return undefined;
  return { state: 'observed', at: open?.at ?? 0, scopes: all, agent };
}

/** A decision of administrators replaces the connection, unless it is older than their last decision. */
function decided(
  open: CountedConnection | undefined,
  type: string,
  at: number,
  scopes: string[],
  stated: Name | null,
): ConnectionState | undefined {
  if (open && at < open.at) return undefined;
  return {
    state: type === 'connection.deleted' ? 'deleted' : 'created',
    at,
    scopes: union(scopes),
    agent: stated ?? open?.agent ?? null,
  };
}
