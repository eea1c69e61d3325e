import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { CLOUDEVENTS_BATCH_MEDIA_TYPE, eventType } from '../../src/contracts/index.js';
import * as parties from '../conformance/parties.js';
import { askLease, freshId, openStream, type Stream } from '../integration/feeds/feed-client.js';
import { startFeedService, type FeedService } from '../integration/feeds/feed-service.js';

const IDP = 'https://idp.hostile.example';
const SOURCE = `${IDP}/events`;
const EVENTS_A_POST = 100;
const STREAMS = 200;
const RENEW_MS = 200;
/** Time limit for conditions that must come true in the end, also on a busy machine. */
const PATIENCE_MS = 240_000;

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const names = (of: string): string[] => Array.from({ length: 8 }, (_, nth) => `https://${of}-${nth}.hostile.example`);
/** 72 selectors each. */
const connections = (): object[] =>
  Array.from({ length: EVENTS_A_POST }, (_, nth) => ({
    specversion: '1.0',
    type: eventType('connection.deleted'),
    source: SOURCE,
    id: randomUUID(),
    time: new Date().toISOString(),
    data: {
      iss: IDP,
      idp_client_id: `app-${nth}`,
      client_id: `app-${nth}`,
      aud: names('ras'),
      resource: names('api'),
      scope: 'read',
    },
  }));
/** Each is refused, and kept in quarantine. */
const poison = (): object[] => connections().map((event) => ({ ...event, data: { iss: IDP } }));

/** One tenant does what it may to slow others: floods of rule events and of bad ones, open streams, a guard that renews and applies nothing. */
class Hostile {
  readonly service: FeedService;
  readonly secrets: Readonly<Record<string, string>>;
  readonly statuses = new Map<string, number>();
  #isOver = false;
  #work: Promise<unknown>[] = [];
  #streams: Stream[] = [];

  static async start(service: FeedService): Promise<Hostile> {
    const { admin } = await service.admin<{ admin: { secret: string } }>('POST', '/v1/tenants', { name: 'hostile' });
    const call = async (path: string, body: object): Promise<Record<string, string>> => {
      const response = await fetch(service.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${admin.secret}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as Record<string, string>;
    };
    await call('/v1/sources', {
      name: 'hostile-idp',
      uri: SOURCE,
      types: ['connection.deleted', 'user.disabled'],
      issuers: [IDP],
      resources: ['https://api.hostile.example'],
    });
    const secrets: Record<string, string> = {};
    const roles = {
      'hostile-emitter': { emit: { sources: ['hostile-idp'] } },
      'hostile-guard': { guard: { resources: ['https://api.hostile.example'], issuers: [IDP] } },
      'hostile-analyst': { revoke: { tenant: true } },
    };
    for (const [id, role] of Object.entries(roles))
      secrets[id] = (await call('/v1/callers', { id, roles: role }))['secret']!;
    return new Hostile(service, secrets);
  }

  private constructor(service: FeedService, secrets: Readonly<Record<string, string>>) {
    this.service = service;
    this.secrets = secrets;
  }

  basic(caller: string): string {
    return parties.basic(caller, this.secrets[caller]!);
  }

  #again(work: () => Promise<unknown>): void {
    const loop = async (): Promise<void> => {
      while (!this.#isOver) await work();
    };
    this.#work.push(loop());
  }

  async #post(what: string, events: readonly object[]): Promise<void> {
    const headers = {
      authorization: `Bearer ${this.secrets['hostile-emitter']}`,
      'content-type': CLOUDEVENTS_BATCH_MEDIA_TYPE,
    };
    const response = await fetch(`${this.service.url}/events`, {
      method: 'POST',
      headers,
      body: JSON.stringify(events),
    });
    const text = await response.text();
    const said = `${what} ${response.status} ${/"code":"([a-z-]+)"/.exec(text)?.[1] ?? ''}`.trim();
    this.statuses.set(said, (this.statuses.get(said) ?? 0) + 1);
    if (response.status === 429) await new Promise((resolve) => setTimeout(resolve, RENEW_MS));
  }

  async flood(): Promise<void> {
    this.#streams = await Promise.all(
      Array.from({ length: STREAMS }, () =>
        openStream(this.service.url, { authorization: this.basic('hostile-guard'), query: '?also=*' }),
      ),
    );
    for (const stream of this.#streams) stream.pause();
    this.#again(() => this.#post('rules', connections()));
    this.#again(() => this.#post('poison', poison()));
  }

  /** Takes a grant and renews it for ever without applying anything. Resolves with the first grant. */
  async hang(): Promise<void> {
    const stream = await openStream(this.service.url, { authorization: this.basic('hostile-guard') });
    this.#streams.push(stream);
    const start = await stream.next(({ event }) => event === 'start');
    const asked = { id: freshId(), held: String(start.id) };
    const first = await askLease(this.service.url, this.basic('hostile-guard'), asked);
    expect(first.status).toBe(200);
    this.#again(async () => {
      await askLease(this.service.url, this.basic('hostile-guard'), asked);
      await new Promise((resolve) => setTimeout(resolve, RENEW_MS));
    });
  }

  /** Resolves when its own order is in force. */
  async order(): Promise<number> {
    const headers = { authorization: `Bearer ${this.secrets['hostile-analyst']}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ selector: { user: { iss: IDP, sub: randomUUID() } }, reason: 'spec' });
    return (await fetch(`${this.service.url}/v1/revocations`, { method: 'POST', headers, body })).status;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    for (const stream of this.#streams) stream.close();
    await Promise.all(this.#work);
  }
}

describe('a hostile tenant beside an honest one', () => {
  let service: FeedService;
  let hostile: Hostile;
  const cleanups = cleanUp(afterAll, PATIENCE_MS);
  beforeAll(async () => {
    service = await startFeedService();
    cleanups.push(() => service.stop());
    hostile = await Hostile.start(service);
    cleanups.push(() => hostile.stop());
  });

  const user = (sub: string): object => ({ user: { iss: parties.RAS, sub } });

  it('waits for its own guard that applies nothing, while the other tenant does not wait', async () => {
    await hostile.hang();
    const inForce: string[] = [];
    const own = hostile.order().then((status) => void inForce.push(`hostile ${status}`));
    await until(async () => {
      const { rows } = await service.database.pool.query(
        `SELECT FROM control_log WHERE kind = 'rule.ordered' AND body -> 'author' ->> 'caller' = 'hostile-analyst'`,
      );
      return rows.length > 0;
    });
    const { confirmed } = await service.order(user('u-honest'));
    inForce.push('honest');
    expect(confirmed).toMatchObject({ nodes: 1, expired: 0 });
    await own;
    expect(inForce).toEqual(['honest', 'hostile 201']);
  });

  it(
    'is told to wait when it floods, while the other tenant gets answers, stores events and has its orders in force',
    async () => {
      await hostile.flood();
      await until(() => hostile.statuses.has('rules 429 too-many-rules'));
      for (let round = 0; round < 5; round++) {
        const token = await service.issue({ sub: `u-${round}` });
        expect(await service.introspect(token)).toMatchObject({ active: true });
        const { confirmed } = await service.order(user(`u-${round}`));
        expect(confirmed).toMatchObject({ nodes: 1, expired: 0 });
        expect(await service.introspect(token)).toEqual({ active: false });
      }
      expect(hostile.statuses.get('rules 200')).toBeGreaterThan(0);
      expect(hostile.statuses.get('poison 200') ?? 0).toBeGreaterThan(0);
      // The node was never taken for dead: it has the row that it joined with.
      const { rows } = await service.database.pool.query<{ joins: number }>('SELECT count(*)::int AS joins FROM node');
      expect(rows[0]!.joins).toBe(1);
      const waited = /^rescind_rule_quota_waits_total\{source="hostile-idp",bound="source",door="http"\} [1-9]/m;
      expect(await service.metricsWith(waited)).toMatch(waited);
    },
    PATIENCE_MS,
  );
});
