import { setTimeout as delay } from 'node:timers/promises';
import { buildEvent } from '../../../src/emit/index.js';
import type { EventDataOf, SourceEventName } from '../../../src/contracts/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import type { Pool } from '../../../src/platform/postgres/index.js';
import { startParts, type Cleanups } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';

/** One word in every name of a tenant, so that it is known wherever it shows. */
export const TENANTS = ['acme', 'globex'] as const;
export type TenantName = (typeof TENANTS)[number];

export const ROLES = ['audit', 'admin', 'emit', 'introspect', 'guard', 'revoke-own', 'revoke'] as const;
export type RoleName = (typeof ROLES)[number];

const now = (): number => Math.floor(Date.now() / 1000);

export const namesOf = (tenant: string) => ({
  idp: `https://idp.${tenant}.example`,
  as: `https://auth.${tenant}.example`,
  api: `https://api.${tenant}.example/v1`,
  user: `alice-of-${tenant}`,
  client: `client-of-${tenant}`,
  agent: `agent-of-${tenant}`,
  session: `session-of-${tenant}`,
  scope: `read-of-${tenant}`,
  route: `/routes-of-${tenant}/{id}`,
  address: tenant === 'acme' ? '192.0.2.71' : '192.0.2.72',
  jti: `token-of-${tenant}`,
  grant: `grant-of-${tenant}`,
  idpSource: `idp-of-${tenant}`,
  apiSource: `api-of-${tenant}`,
});

/** How many there are of some things: where small ids are the same, the number alone tells the tenants apart. */
export const countsOf = (
  tenant: string,
): { readonly otherUsers: readonly string[]; readonly sequence: readonly [number, number] } => ({
  /** Users beside the first that hold a grant at the client. */
  otherUsers: tenant === 'acme' ? [] : [`bob-of-${tenant}`, `carol-of-${tenant}`],
  /** Numbers that the source of usage gives its events. */
  sequence: tenant === 'acme' ? [1, 4] : [11, 12],
});

/** Data of a tenant that others must not see. */
export interface Planted {
  readonly keys: Readonly<Record<RoleName, string>>;
  readonly entities: readonly string[];
  readonly token: string;
  readonly rule: string;
  readonly quarantined: string;
  readonly sources: readonly string[];
  readonly findings: readonly string[];
  /** A view that a caller of the tenant shares. */
  readonly view: string;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly description: string;
  readonly parameters: readonly { readonly in: string; readonly name: string }[];
}

export interface Answered {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  readonly body: any;
}

/** The whole service, with two tenants that have the same kinds of things under names of their own. */
export const startTwoTenants = (env: Readonly<Record<string, string>> = {}) =>
  startParts((cleanups) => startTenants(cleanups, env));

async function startTenants(cleanups: Cleanups, env: Readonly<Record<string, string>>) {
  const { rescind, database } = await startOwnRescind(cleanups, { env });

  async function ask(method: string, path: string, key: string | null, body?: string): Promise<Answered> {
    const headers: Record<string, string> = {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const response = await fetch(`${rescind.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    const type = response.headers.get('content-type')?.split(';')[0] ?? null;
    return {
      status: response.status,
      type,
      text,
      body: text === '' || !/[/+]json/.test(type ?? '') ? undefined : JSON.parse(text),
    };
  }

  const operator = createRescindAdmin(rescind.url, rescind.adminKey!);
  const planted: Record<string, Planted> = {};
  for (const tenant of TENANTS) {
    const made = await operator.post<{ admin: { secret: string } }>('/v1/tenants', {
      name: tenant,
      admin: `first-admin-of-${tenant}`,
    });
    planted[tenant] = await plant(rescind.url, tenant, made.admin.secret, ask);
  }
  for (;;) {
    const { rowCount } = await database.pool.query('SELECT FROM control_outbox o, control_head h WHERE o.seq < h.seq');
    if (rowCount === 0) break;
    await delay(20);
  }
  for (const tenant of TENANTS) {
    const { rows } = await database.pool.query<{ id: number }>(
      "SELECT id FROM entity WHERE tenant = (SELECT tenant FROM control_log WHERE kind = 'tenant.changed' AND body ->> 'name' = $1 LIMIT 1) ORDER BY id",
      [tenant],
    );
    const findings = tenant === 'acme' ? await found(database.pool, tenant) : [];
    planted[tenant] = { ...planted[tenant]!, entities: rows.map(({ id }) => String(id)), findings };
  }
  const { paths } = (await ask('GET', '/openapi.json', null)).body as {
    paths: Record<string, Record<string, { parameters?: Operation['parameters']; description?: string }>>;
  };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, { parameters = [], description = '' }]): Operation => ({
        method: method.toUpperCase(),
        path,
        parameters,
        description,
      }),
    ),
  );
  return {
    ask,
    url: rescind.url,
    pool: database.pool,
    operator,
    planted: planted as Readonly<Record<TenantName, Planted>>,
    /** All that OpenAPI documents under /v1, but for the stream, whose answer does not end: `feeds/watch.spec.ts` asks it. */
    operations: operations.filter(({ path }) => path.startsWith('/v1/') && path !== '/v1/stream'),
  };
}

type Ask = (method: string, path: string, key: string | null, body?: string) => Promise<Answered>;

/** Waits for the finding of the administrator that another one of `acme` made. */
async function found(pool: Pool, tenant: string): Promise<readonly string[]> {
  for (;;) {
    const { rows } = await pool.query<{ id: string }>(
      "SELECT id FROM finding WHERE kind = 'administration' AND tenant = (SELECT tenant FROM control_log WHERE kind = 'tenant.changed' AND body ->> 'name' = $1 LIMIT 1)",
      [tenant],
    );
    if (rows.length > 0) return rows.map(({ id }) => id);
    await delay(50);
  }
}

async function plant(url: string, tenant: string, adminKey: string, ask: Ask): Promise<Planted> {
  const { idp, as, user, session, jti } = namesOf(tenant);
  const { keys, sources } = await register(tenant, createRescindAdmin(url, adminKey));
  const put = await ask(
    'PUT',
    `/v1/directory/users/${user}?iss=${encodeURIComponent(idp)}`,
    keys['admin'],
    JSON.stringify({ userName: user, displayName: `Alice of ${tenant}`, tags: [`tag-of-${tenant}`] }),
  );
  if (put.status !== 200) throw new Error(put.text);
  const events = eventsOf(tenant);
  const emitted = await emit(url, keys['emit'], [...events, { ...events[0]!, id: 'refused', specversion: '0.3' }]);
  if (emitted.slice(0, -1).some(({ state }) => state !== 'sequenced')) throw new Error(JSON.stringify(emitted));
  const ordered = await ask(
    'POST',
    '/v1/revocations',
    keys['revoke'],
    JSON.stringify({
      selector: { session: { iss: idp, sid: session } },
      effect: 'revoke',
      reason: `reason-of-${tenant}`,
    }),
  );
  const saved = await ask(
    'POST',
    '/v1/views',
    keys['audit'],
    JSON.stringify({ name: `view-of-${tenant}`, page: '/findings', search: `kind=of-${tenant}`, shared: true }),
  );
  const token = (await ask('GET', `/v1/tokens?iss=${as}&jti=${jti}`, keys['audit'])).body.id;
  const quarantined = (await ask('GET', '/v1/quarantine', keys['audit'])).body.items[0].id;
  const [rule, view] = [ordered.body.id, saved.body.id];
  return { keys, entities: [], findings: [], token, rule, view, quarantined, sources };
}

/** Registers a tenant's sources, and a caller of each role. */
async function register(
  tenant: string,
  admin: ReturnType<typeof createRescindAdmin>,
): Promise<Pick<Planted, 'keys' | 'sources'>> {
  const { idp, as, api, client, idpSource, apiSource } = namesOf(tenant);
  const idpTypes = ['id-jag.issued', 'connection.created', 'user.disabled', 'user.enabled'];
  const sources = [
    await admin.post<{ id: string }>('/v1/sources', {
      name: idpSource,
      uri: `${idp}/events`,
      types: idpTypes,
      issuers: [idp],
      resources: [],
    }),
    await admin.post<{ id: string }>('/v1/sources', {
      name: apiSource,
      uri: `${api}/events`,
      types: ['token.issued', 'access.allowed', 'access.denied'],
      issuers: [as],
      resources: [api],
    }),
  ];
  const rolesOf: Readonly<Record<RoleName, object>> = {
    audit: { audit: {} },
    admin: { admin: {} },
    emit: { emit: { sources: [idpSource, apiSource] } },
    introspect: { introspect: { resources: [api], issuers: [as] } },
    guard: { guard: { resources: [api], issuers: [as] } },
    'revoke-own': { 'revoke-own': { clients: [{ iss: as, client_id: client }] } },
    revoke: { revoke: { tenant: true } },
  };
  const keys: Record<string, string> = {};
  for (const [role, roles] of Object.entries(rolesOf))
    keys[role] = (await admin.post<{ secret: string }>('/v1/callers', { id: `${role}-of-${tenant}`, roles })).secret;
  return { keys: keys as Planted['keys'], sources: sources.map(({ id }) => id) };
}

/** Lists the events that a tenant's sources send, in the order of the ledger. */
function eventsOf(tenant: string): object[] {
  const { idp, as, api, user, client, agent, session, scope, route, address, jti, grant } = namesOf(tenant);
  const { otherUsers, sequence } = countsOf(tenant);
  const iat = now() - 60;
  const event = <N extends SourceEventName>(source: string, name: N, data: EventDataOf[N]) =>
    buildEvent(name, { source: `${source}/events`, data });
  const stated = {
    iss: idp,
    jti: grant,
    sub: user,
    client_id: client,
    agent: { id: agent, type: `type-of-${tenant}` },
  };
  const grants = otherUsers.map((sub) => ({ ...stated, jti: `${grant}-to-${sub}`, sub }));
  return [
    // The first names one client alone, so that it and the resource have the same small id in each tenant.
    event(api, 'token.issued', {
      kind: 'access',
      iss: as,
      jti: `first-${jti}`,
      client_id: client,
      aud: [api],
      scope,
      iat,
      exp: iat + 900,
    }),
    event(idp, 'connection.created', {
      iss: idp,
      idp_client_id: client,
      aud: [as],
      client_id: client,
      resource: [api],
      scope,
    }),
    event(idp, 'id-jag.issued', {
      ...stated,
      idp_client_id: client,
      aud: [as],
      resource: [api],
      scope,
      iat,
      exp: iat + 300,
      sid: session,
    }),
    event(api, 'token.issued', {
      kind: 'access',
      iss: as,
      jti,
      sub: user,
      client_id: client,
      aud: [api],
      scope,
      iat,
      exp: iat + 900,
      id_jag: { ...stated },
    }),
    event(api, 'access.allowed', {
      token: { iss: as, jti },
      operation: 'read',
      route,
      scope,
      status: 200,
      client_address: address,
      sequence: sequence[0],
    }),
    event(api, 'access.denied', {
      token: { iss: as, jti },
      operation: 'write',
      route,
      status: 403,
      sequence: sequence[1],
    }),
    ...grants.map((one) =>
      event(idp, 'id-jag.issued', {
        ...one,
        idp_client_id: client,
        aud: [as],
        resource: [api],
        scope,
        iat,
        exp: iat + 300,
      }),
    ),
  ];
}

export async function emit(
  url: string,
  key: string,
  events: readonly object[],
): Promise<readonly { readonly state?: string }[]> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json' };
  return (await (await fetch(`${url}/events`, { method: 'POST', headers, body: JSON.stringify(events) })).json()) as {
    state?: string;
  }[];
}
