import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createControlFollower, createControlLog } from '../../../src/control/index.js';
import { actOnce, type ActOptions } from '../../../src/findings/act/act.pg.js';
import { createFindings, DETECTIONS, followNext, type FindingItem } from '../../../src/findings/index.js';
import { startRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { createPool } from '../../../src/platform/postgres/index.js';
import { createAsk } from '../../../src/projections/index.js';
import { createReader } from '../../../src/query/index.js';
import { createRevocations } from '../../../src/revocation/index.js';
import { createOrders } from '../../../src/roles/findings/actions.js';
import type { Cleanups } from '../../support/cleanups.js';
import { createMigratedDatabase, testLog } from '../../support/services.js';

export const IDP = 'https://idp.example';
export const RAS = 'https://login.crm.example';
export const CRM = 'https://api.crm.example';

/** Records that make a day's read an export. */
const MANY = 6_000;
/** Roles of the service: all but `feed`, so that detections look and act when a spec says so. */
const ROLES = 'ingest,serve';

/** The whole service, one source that speaks for everybody, and detections that look and act when they are told to. */
export async function startActing(cleanups: Pick<Cleanups, 'push'>, roles: string = ROLES) {
  const database = await createMigratedDatabase();
  cleanups.push(() => database.drop());
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  const config = readConfig({
    RESCIND_HOME: home,
    PORT: '0',
    DATABASE_URL: database.url,
    KAFKA_BROKERS: 'none',
    LOG_LEVEL: 'silent',
    ROLES: roles,
    FINDINGS_LEARN_DAYS: '0',
    CHANNEL_ALLOWED_HOSTS: '127.0.0.1',
  });
  const rescind = await startRescind(config, { log: testLog() });
  cleanups.push(() => rescind.stop());

  async function call(method: string, path: string, body?: unknown, key = rescind.adminKey!) {
    const response = await fetch(new URL(path, rescind.url), {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as any };
  }
  const done = async (method: string, path: string, body?: unknown, key?: string) => {
    const answer = await call(method, path, body, key);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };

  await done('POST', '/v1/sources', {
    name: 'crm',
    uri: RAS,
    types: ['token.issued', 'access.allowed'],
    issuers: [RAS, IDP],
    resources: [CRM],
  });
  const emitKey: string = (await done('POST', '/v1/callers', { id: 'crm', roles: { emit: { sources: ['crm'] } } }))
    .secret;
  const askKey: string = (
    await done('POST', '/v1/callers', {
      id: 'api',
      roles: { introspect: { resources: [CRM], issuers: [RAS, IDP] } },
    })
  ).secret;

  const pool = createPool({ url: database.url, max: 8, applicationName: 'acting' });
  cleanups.push(() => pool.end());
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url: database.url, controlLog, log: testLog(), serves: false });
  await follower.start();
  cleanups.push(() => follower.stop());
  const tenant = follower.state.tenantByName('default')!;
  const reader = createReader(() => follower.state);
  const findings = createFindings({ ask: createAsk({ pool, now: () => Math.floor(Date.now() / 1_000) }), reader });
  const orders = createOrders(createRevocations({ controlLog, follower, pool }));
  const options: ActOptions = { pool, findings, orders };

  const emit = (name: string, data: object) =>
    done(
      'POST',
      '/events',
      {
        specversion: '1.0',
        type: `dev.rescind.${name}.v1`,
        source: RAS,
        id: randomUUID(),
        time: new Date().toISOString(),
        data,
      },
      emitKey,
    );
  const now = () => Math.floor(Date.now() / 1_000);

  /** A token of a user through an agent's client, opaque: its text. */
  async function token(user: string, client = 'atlas'): Promise<string> {
    const text = randomUUID();
    await emit('token.issued', {
      kind: 'access',
      iss: RAS,
      sha256: Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64url'),
      client_id: client,
      aud: [CRM],
      scope: 'crm.read',
      iat: now(),
      exp: now() + 3_600,
      id_jag: { iss: IDP, jti: `jag-${text}`, sub: user },
    });
    return text;
  }

  return {
    rescind,
    home,
    database,
    pool,
    tenant,
    reader,
    orders,
    options,
    call,
    done,
    token,
    /** Sets the action of a detection, by default of the one that finds exports. */
    set: (body: object, kind = 'bulk-export') => done('PUT', `/v1/detections/${kind}`, body),
    /** Reads everything at once with a new token; resolves to the token's text. */
    async exports(user: string, client = 'atlas'): Promise<string> {
      const text = await token(user, client);
      await this.reads(text, MANY);
      return text;
    },
    async reads(text: string, records: number): Promise<void> {
      const sha256 = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64url');
      await emit('access.allowed', {
        token: { sha256 },
        operation: 'export',
        route: 'GET /export',
        status: 200,
        records,
        resource: [CRM],
      });
    },
    find: () => followNext({ pool, tenants: () => [tenant], control: reader, detections: DETECTIONS, learnsDays: 0 }),
    act: (more: Partial<ActOptions> = {}) => actOnce({ ...options, ...more }, tenant.id),
    /** The finding about exports of a user. */
    async finding(user: string): Promise<FindingItem> {
      const { items } = await done('GET', '/v1/findings?kind=bulk-export&limit=100');
      return (items as FindingItem[]).find((one) => one.user?.sub === user)!;
    },
    async rules(): Promise<readonly any[]> {
      return (await done('GET', '/v1/revocations')).revocations;
    },
    async isActive(text: string): Promise<boolean> {
      const response = await fetch(new URL('/introspect', rescind.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${askKey}` },
        body: new URLSearchParams({ token: text }),
      });
      return ((await response.json()) as { active: boolean }).active;
    },
  };
}

export type Acting = Awaited<ReturnType<typeof startActing>>;
