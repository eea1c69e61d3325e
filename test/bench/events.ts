import { createHash } from 'node:crypto';
import type { CloudEvent } from '../../src/contracts/index.js';
import { buildEvent } from '../../src/emit/index.js';

export const IDP = 'https://idp.bench.example';
export const RAS = 'https://login.bench.example';
export const API = 'https://api.bench.example';

const USERS = 5_000;
const CLIENTS = 60;

/** A believable mix: of ten events one ID-JAG, one token, eight calls; a user's calls follow its token. Numbered from `from`. */
export function* makeEvents(
  from: number,
  count: number,
): Generator<{ readonly source: 'idp' | 'ras'; readonly event: CloudEvent }> {
  const now = Math.floor(Date.now() / 1000);
  for (let n = from; n < from + count; n++) {
    const grant = Math.floor(n / 10);
    const user = `u-${spread(grant, USERS)}`;
    const client = `c-${spread(grant * 7, CLIENTS)}`;
    if (n % 10 === 0) yield { source: 'idp', event: idJag(n, grant, user, client, now) };
    else if (n % 10 === 1) yield { source: 'ras', event: token(n, grant, user, client, now) };
    else yield { source: 'ras', event: access(n, grant) };
  }
}

const spread = (n: number, size: number): number => createHash('md5').update(String(n)).digest().readUInt32BE(0) % size;

const idJag = (n: number, grant: number, user: string, client: string, now: number): CloudEvent =>
  buildEvent('id-jag.issued', {
    source: `${IDP}/events`,
    id: `e-${n}`,
    data: {
      iss: IDP,
      jti: `gr-${grant}`,
      sub: user,
      client_id: `${client}-at-ras`,
      idp_client_id: client,
      aud: [RAS],
      resource: [API],
      scope: 'mail.read mail.send',
      iat: now,
      exp: now + 300,
      sid: `s-${user}`,
      agent: { id: `agent-${client}`, type: 'assistant' },
    },
  });

const token = (n: number, grant: number, user: string, client: string, now: number): CloudEvent =>
  buildEvent('token.issued', {
    source: `${RAS}/events`,
    id: `e-${n}`,
    data: {
      kind: 'access',
      iss: RAS,
      jti: `at-${grant}`,
      sub: `local-${user}`,
      client_id: `${client}-at-ras`,
      aud: [API],
      scope: 'mail.read',
      iat: now,
      exp: now + 900,
      id_jag: {
        iss: IDP,
        jti: `gr-${grant}`,
        sub: user,
        client_id: `${client}-at-ras`,
        agent: { id: `agent-${client}`, type: 'assistant' },
      },
    },
  });

const access = (n: number, grant: number): CloudEvent =>
  buildEvent('access.allowed', {
    source: `${RAS}/events`,
    id: `e-${n}`,
    data: {
      token: { iss: RAS, jti: `at-${grant}` },
      operation: n % 5 === 0 ? 'write' : 'read',
      route: `GET /mail/${n % 40}`,
      scope: 'mail.read',
      status: 200,
      records: n % 20,
      bytes: 1000 + n,
      client_address: `192.0.2.${n % 200}`,
    },
  });
