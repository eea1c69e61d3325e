import type { EventDataOf } from '../../../src/contracts/index.js';
import type { FindingItem } from '../../../src/findings/index.js';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import type { SOURCES } from '../query/history.js';
import { ACME, say, startQueryApi, writeHistory, type Said } from '../query/history.js';
import { sayOwn } from '../query/own-entries.js';
import { CRM, CRM_AS, IDP, WIKI, WIKI_AS } from '../query/story.js';

export { CRM, CRM_AS, IDP, WIKI, WIKI_AS };
export const DAY = 86_400;
/** A Monday, 00:00 UTC, long before the clock of the questions. */
export const MONDAY = 1_788_134_400;

type Source = keyof typeof SOURCES;
type App = 'crm' | 'wiki';
const APPS = { crm: { iss: CRM_AS, aud: CRM }, wiki: { iss: WIKI_AS, aud: WIKI } } as const;

/** The read API on an empty ledger, with words for what happens in an organisation. Each said thing arrives a second later. */
export async function startWorld(options: Parameters<typeof startQueryApi>[1] = {}) {
  const api = await startQueryApi([], options);
  let seq = 0;

  async function tell(...events: readonly Said[]): Promise<void> {
    for (const event of events)
      await inTransaction(api.pool, (client) => writeHistory(client, [event], () => (event.at + 1) * 1_000));
  }

  /** Says so late what happened at its own time. */
  async function tellAt(arrives: number, event: Said): Promise<void> {
    await inTransaction(api.pool, (client) => writeHistory(client, [event], () => arrives * 1_000));
  }

  async function list(query = ''): Promise<readonly FindingItem[]> {
    const { status, body } = await api.get(`/v1/findings?limit=100${query}`);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body.items;
  }

  return {
    ...api,
    tell,
    tellAt,
    list,
    /** Tells, looks for findings, and lists those of one kind. */
    async after(kind: string, ...events: readonly Said[]): Promise<readonly FindingItem[]> {
      await tell(...events);
      await api.find();
      return list(`&kind=${kind}`);
    },
    /** A person's order, which the ledger tells. */
    async order(
      rule: string,
      at: number,
      what: Pick<EventDataOf['revocation.ordered'], 'selector' | 'effect'> & Partial<EventDataOf['revocation.ordered']>,
    ): Promise<void> {
      const ix = await sayOwn(api.pool, ACME, 'revocation.ordered', at * 1_000, {
        rule,
        seq: String(++seq),
        reauthenticate: false,
        reason: 'compromised',
        author: { caller: 'acme-revoke' },
        ...what,
      });
      await api.pool.query('UPDATE entry SET arrival = $3 WHERE tenant = $1 AND ix = $2', [ACME, ix, (at + 1) * 1_000]);
    },
  };
}

export type World = Awaited<ReturnType<typeof startWorld>>;

export interface Holder {
  readonly user: string;
  readonly client: string;
  readonly app?: App;
  readonly agent?: string;
  readonly scope?: string;
}

const userOf = (sub: string) => ({ iss: IDP, tenant: 'acme', sub });
const agentOf = (agent: string | undefined) => (agent === undefined ? {} : { agent: { id: agent, type: 'assistant' } });

/** An ID-JAG of the IdP. */
export const jag = (
  jti: string,
  at: number,
  { user, client, app = 'crm', agent, scope = 'all.read' }: Holder,
  more: Partial<EventDataOf['id-jag.issued']> = {},
): Said =>
  say('idp', 'id-jag.issued', at, {
    ...userOf(user),
    jti: `jag-of-${jti}`,
    idp_client_id: client,
    client_id: `${client}-at-${app}`,
    aud: [APPS[app].iss],
    resource: [APPS[app].aud],
    scope,
    iat: at,
    exp: at + 300,
    ...agentOf(agent),
    ...more,
  });

/** The access token that an application made of it. */
export const issued = (
  jti: string,
  at: number,
  { user, client, app = 'crm', agent, scope = 'all.read' }: Holder,
  more: Partial<EventDataOf['token.issued']> = {},
): Said =>
  say(app, 'token.issued', at, {
    kind: 'access',
    iss: APPS[app].iss,
    jti,
    client_id: `${client}-at-${app}`,
    aud: [APPS[app].aud],
    scope,
    iat: at,
    exp: at + 3_600,
    id_jag: { ...userOf(user), jti: `jag-of-${jti}`, ...agentOf(agent) },
    ...more,
  });

export const used = (
  jti: string,
  at: number,
  more: Partial<EventDataOf['access.allowed']> = {},
  app: App = 'crm',
): Said =>
  say(app, 'access.allowed', at, {
    token: { iss: APPS[app].iss, jti },
    operation: 'read',
    route: 'GET /things',
    status: 200,
    ...more,
  });

export const refused = (jti: string, at: number, app: App = 'crm'): Said =>
  say(app, 'access.denied', at, {
    token: { iss: APPS[app].iss, jti },
    operation: 'write',
    route: 'PUT /settings',
    status: 403,
  });

export const disabled = (sub: string, at: number, source: Source = 'idp'): Said =>
  say(source, 'user.disabled', at, userOf(sub));
export const enabled = (sub: string, at: number): Said => say('idp', 'user.enabled', at, userOf(sub));
export const named = userOf;

/** The IdP refuses an ID-JAG for an application that is only a name. */
export const notGiven = (user: string, client: string, at: number, app: number): Said =>
  say('idp', 'id-jag.denied', at, {
    ...userOf(user),
    idp_client_id: client,
    client_id: `${client}-at-app-${app}`,
    aud: [`https://as-${app}.example`],
    resource: [`https://app-${app}.example`],
    error: 'access_denied',
  });

/** Makes several of a kind. */
export const many = <T>(count: number, make: (nth: number) => T): T[] =>
  Array.from({ length: count }, (_, nth) => make(nth));
