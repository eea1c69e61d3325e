import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CLOUDEVENTS_BATCH_MEDIA_TYPE } from '../../../src/contracts/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import type { FindingItem, FindingPage } from '../../../src/findings/index.js';
import { createRescindAdmin, type RescindAdmin } from '../../../src/sandbox/index.js';
import { basic } from '../../conformance/parties.js';
import { digestOf } from '../../conformance/signing.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import { API, IDP, RAS } from '../../support/stage.js';
import { until } from '../channels/receiver.js';

let url: string;
let admin: RescindAdmin;
const secrets: Record<string, string> = {};

const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  const { rescind } = await startOwnRescind(cleanups, { env: { FINDINGS_LEARN_DAYS: '0' } });
  url = rescind.url;
  admin = createRescindAdmin(url, rescind.adminKey!);
  for (const [name, uri, types, resources] of [
    ['idp', IDP, ['id-jag.issued'], []],
    ['chat', RAS, ['token.issued', 'access.allowed'], [API]],
  ] as const)
    await admin.post('/v1/sources', { name, uri, types, issuers: [...new Set([uri, IDP])], resources });
  for (const [id, roles] of Object.entries({
    emitter: { emit: { sources: ['idp', 'chat'] } },
    api: { introspect: { resources: [API], issuers: [RAS] } },
  }))
    secrets[id] = (await admin.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
});

async function emit(...events: readonly object[]): Promise<void> {
  const response = await fetch(`${url}/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets['emitter']!}`, 'content-type': CLOUDEVENTS_BATCH_MEDIA_TYPE },
    body: JSON.stringify(events),
  });
  const results = (await response.json()) as readonly { readonly state?: string }[];
  expect(results.map(({ state }) => state)).toEqual(events.map(() => 'sequenced'));
}

/** Tells of an opaque token; resolves with its text. `jagClient`: the client to which its ID-JAG was issued. */
async function issue(user: string, client: string, jagClient = client): Promise<string> {
  const text = `opaque-${randomUUID()}`;
  const [jti, iat] = [randomUUID(), Math.floor(Date.now() / 1_000)];
  const agent = { id: `agent-of-${client}`, type: 'assistant' };
  const common = { aud: [API], scope: 'read', iat, exp: iat + 900 };
  await emit(
    buildEvent('id-jag.issued', {
      source: IDP,
      data: { ...common, iss: IDP, jti, sub: user, idp_client_id: jagClient, client_id: jagClient, aud: [RAS], agent },
    }),
    buildEvent('token.issued', {
      source: RAS,
      data: {
        ...common,
        kind: 'access',
        iss: RAS,
        sha256: digestOf(text),
        client_id: client,
        id_jag: { iss: IDP, jti, sub: user, agent },
      },
    }),
  );
  return text;
}

const used = (token: string, more: { readonly client_address?: string; readonly records?: number }): object =>
  buildEvent('access.allowed', {
    source: RAS,
    data: {
      token: { sha256: digestOf(token) },
      operation: 'export',
      route: 'GET /things',
      status: 200,
      ...more,
    },
  });

async function isActive(token: string): Promise<boolean> {
  const response = await fetch(`${url}/introspect`, {
    method: 'POST',
    headers: { authorization: basic('api', secrets['api']!) },
    body: new URLSearchParams({ token }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { active: boolean }).active;
}

/** Orders the rule that a finding names, as its reader would. */
async function stop({ id, stop: named }: FindingItem): Promise<void> {
  const { selector } = named!;
  const { confirm } = await admin.post<{ confirm?: unknown }>('/v1/revocations/preview', { selector });
  await admin.post('/v1/revocations', {
    selector,
    reason: `finding ${id}`,
    ...(confirm === undefined ? {} : { confirm }),
  });
}

interface Incident {
  /** Makes it; resolves with the tokens that the rule must stop. */
  readonly happens: () => Promise<readonly string[]>;
  /** Tokens as near to it as can be, which the rule must not stop. */
  readonly others: () => Promise<readonly string[]>;
  /** Members of the rule's selector. */
  readonly selects: readonly string[];
}

const INCIDENTS: Readonly<Record<string, Incident>> = {
  'token-from-two-networks': {
    selects: ['token'],
    async happens() {
      const token = await issue('ann', 'mail');
      await emit(used(token, { client_address: '192.0.2.7' }), used(token, { client_address: '203.0.113.66' }));
      return [token];
    },
    others: async () => [await issue('ann', 'mail')],
  },
  'bulk-export': {
    selects: ['user', 'client'],
    async happens() {
      const tokens = [await issue('ben', 'files'), await issue('ben', 'files')];
      await emit(used(tokens[0]!, { records: 9_000 }));
      return tokens;
    },
    others: async () => [await issue('ben', 'mail'), await issue('cid', 'files')],
  },
  'token-of-another-client': {
    selects: ['client'],
    happens: async () => [await issue('dan', 'thief', 'owner'), await issue('eve', 'thief')],
    others: async () => [await issue('dan', 'owner'), await issue('eve', 'mail')],
  },
};

describe('the rule of a finding, ordered of a running service', () => {
  it.each(Object.entries(INCIDENTS))(
    '%s: introspection answers inactive for what it stops, and active for the nearest others',
    async (kind, { happens, others, selects }) => {
      const stopped = await happens();
      const kept = await others();
      const [finding] = await until(`a finding of ${kind}`, async () => {
        const { items } = await admin.get<FindingPage>(`/v1/findings?kind=${kind}`);
        return items.length > 0 && items;
      });
      expect(Object.keys((finding!.stop as { selector: object }).selector).sort()).toEqual([...selects].sort());
      const active = async () => ({
        stopped: await Promise.all(stopped.map(isActive)),
        kept: await Promise.all(kept.map(isActive)),
      });
      expect(await active()).toEqual({ stopped: stopped.map(() => true), kept: kept.map(() => true) });
      await stop(finding!);
      expect(await active()).toEqual({ stopped: stopped.map(() => false), kept: kept.map(() => true) });
    },
  );
});
