import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLOUDEVENTS_BATCH_MEDIA_TYPE } from '../../src/contracts/index.js';
import { buildEvent } from '../../src/emit/index.js';
import { createRescindAdmin } from '../../src/sandbox/index.js';
import { API, IDP, RAS } from './events.js';

const CLIENT = 'granted-by-everybody';
const SOURCE = 'bench-grants';
const EVENTS_A_POST = 100;
const CONNECTIONS = 4;

/** Makes grants of one client to one resource, one of each user, unless they are there. Returns the client's id. */
export async function addGrants(url: string, home: string, grants: number): Promise<number> {
  const admin = createRescindAdmin(url, readFileSync(join(home, 'admin-key'), 'utf8').trim());
  const standing = () =>
    admin.get<{ items: readonly { client: { entity: number }; grants: number }[] }>(
      `/v1/clients?client_iss=${IDP}&client_id=${CLIENT}`,
    );
  const before = await standing().catch(() => ({ items: [] }));
  if (before.items[0] !== undefined && before.items[0].grants >= grants) return before.items[0].client.entity;
  await admin
    .post('/v1/sources', {
      name: SOURCE,
      uri: `${IDP}/events`,
      types: ['id-jag.issued'],
      issuers: [IDP],
      resources: [],
    })
    .catch(() => undefined); // There already, in a kept database.
  const { secret } = await admin.post<{ secret: string }>('/v1/callers', {
    id: `${SOURCE}-${Date.now()}`,
    roles: { emit: { sources: [SOURCE] } },
  });
  const headers = { authorization: `Bearer ${secret}`, 'content-type': CLOUDEVENTS_BATCH_MEDIA_TYPE };
  let next = 0;
  const post = async (): Promise<void> => {
    while (next < grants) {
      const from = next;
      next += EVENTS_A_POST;
      const body = JSON.stringify(
        Array.from({ length: Math.min(EVENTS_A_POST, grants - from) }, (_, at) => idJag(from + at)),
      );
      const response = await fetch(`${url}/events`, { method: 'POST', headers, body });
      const results = (await response.json()) as readonly { index?: string }[];
      if (response.status !== 200 || results.some(({ index }) => index === undefined))
        throw new Error(`refused: ${response.status} ${JSON.stringify(results).slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, post));
  return (await standing()).items[0]!.client.entity;
}

/** Says the same each time, so that a ledger takes it once. */
const idJag = (n: number) =>
  buildEvent('id-jag.issued', {
    source: `${IDP}/events`,
    id: `granted-${n}`,
    data: {
      iss: IDP,
      jti: `granted-${n}`,
      sub: `user-${String(n).padStart(6, '0')}`,
      client_id: `${CLIENT}-at-ras`,
      idp_client_id: CLIENT,
      aud: [RAS],
      resource: [API],
      scope: 'mail.read mail.send',
      iat: ISSUED_AT,
      exp: ISSUED_AT + 300,
    },
  });
const ISSUED_AT = Date.parse('2026-12-01T00:00:00Z') / 1000;
