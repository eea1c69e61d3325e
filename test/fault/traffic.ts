import { createHash, randomUUID } from 'node:crypto';
import type { Message } from 'kafkajs';
import type { CloudEvent, EventDataOf, SourceEventName } from '../../src/contracts/index.js';
import { buildEvent, toKafkaMessage } from '../../src/emit/index.js';
import { access, API, IDP, idJag, RAS, token } from '../support/stage.js';

/** One record to be produced, and what it is. */
export interface Sent {
  readonly to: 'idp' | 'chat';
  readonly message: Message;
  readonly event: CloudEvent | undefined;
  /** `rival`: other content under an id that another record has; one of the two is refused. */
  readonly kind: 'good' | 'again' | 'rival' | 'bad';
}

const OTHER_API = 'https://files.chat.example';

/** Small, so that a failure can be told by its seed. */
function createRandom(seed: number) {
  let state = seed;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return {
    below,
    pick: <T>(from: readonly T[]): T => from[below(from.length)]!,
    chance: (percent: number): boolean => below(100) < percent,
  };
}

/**
 * Lineages with all their parts, in no order at all: usage before its token, tokens before their ID-JAG; every way of naming a
 * token and an ID-JAG; duplicates, also respelled; contradictions; rules; and records that must be refused.
 */
export function makeTraffic({
  seed,
  lineages,
  idpUri,
  chatUri,
}: {
  seed: number;
  lineages: number;
  idpUri: string;
  chatUri: string;
}): Sent[] {
  const { below, pick, chance } = createRandom(seed);
  const now = Math.floor(Date.now() / 1000);
  const sent: Sent[] = [];
  const scopes = (): string => ['chat.read', 'chat.write', 'chat.admin'].filter(() => chance(50)).join(' ');
  const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

  const say = <N extends SourceEventName>(
    to: Sent['to'],
    name: N,
    data: EventDataOf[N],
    over: { time?: Date; kind?: Sent['kind']; id?: string } = {},
  ): void => {
    const time = over.time ?? new Date((now - below(600)) * 1000);
    const event = buildEvent(name, {
      source: to === 'idp' ? idpUri : chatUri,
      id: over.id ?? randomUUID(),
      time,
      data,
    }) as CloudEvent;
    const mode = chance(70) ? 'binary' : 'structured';
    sent.push({ to, event, kind: over.kind ?? 'good', message: toKafkaMessage(event, { mode }) });
    if (chance(5))
      sent.push({
        to,
        event,
        kind: 'again',
        message: toKafkaMessage(event, { mode: chance(50) ? 'binary' : 'structured' }),
      });
  };

  for (let n = 0; n < lineages; n += 1) {
    const user = `user-${below(15)}`;
    const client = `client-${below(4)}`;
    const agent = chance(60) ? { agent: { id: `agent-${below(3)}`, type: 'assistant' } } : {};
    const jti = `gr-${n}`;
    const byDigest = chance(25);
    const resource = chance(50) ? { resource: [chance(80) ? API : OTHER_API] } : {};
    const said = idJag({
      jti,
      sub: user,
      client_id: client,
      idp_client_id: `${client}-at-idp`,
      scope: scopes(),
      sid: `s-${below(10)}`,
      resource: undefined,
      ...resource,
      agent: undefined,
      ...agent,
      ...(byDigest ? { sha256: digest(jti) } : {}),
    });
    if (chance(95)) say('idp', 'id-jag.issued', said);
    if (chance(2)) say('idp', 'id-jag.issued', { ...said, scope: 'chat.contradicted' });

    const names = chance(70) ? { jti: `at-${n}` } : { jti: undefined, sha256: digest(`at-${n}`) };
    const stated = pick([
      { id_jag: { iss: IDP, jti, sub: user, client_id: client, ...agent } },
      { id_jag: { iss: IDP, jti, sub: user, client_id: client } },
      { id_jag: { iss: IDP, jti } },
      { id_jag: byDigest ? { iss: IDP, sha256: digest(jti) } : { iss: IDP, jti } },
      { id_jag: undefined },
      { id_jag: undefined, sub: undefined },
    ]);
    const refresh = chance(10) ? { kind: 'refresh' as const, aud: [RAS], exp: undefined } : {};
    const issued = token({ ...names, client_id: client, sub: `local-${user}`, scope: scopes(), ...stated, ...refresh });
    if (chance(95)) say('chat', 'token.issued', issued);
    if (chance(2)) say('chat', 'token.issued', { ...issued, client_id: 'somebody-else' });

    const ref = names.jti === undefined ? { sha256: names.sha256! } : { iss: RAS, jti: names.jti };
    for (let use = below(6); use >= 0; use -= 1) {
      const used = access({
        token: ref,
        scope: scopes(),
        operation: pick(['read', 'write', 'delete']),
        records: below(50),
        bytes: below(5_000),
        ...(chance(40) ? { resource: [chance(80) ? API : OTHER_API] } : {}),
      });
      if (chance(70)) say('chat', 'access.allowed', used);
      else if (chance(60)) say('chat', 'access.denied', { ...used, status: 403 });
      else
        say('chat', 'access.summary', {
          token: ref,
          operation: 'read',
          scope: scopes(),
          outcome: pick(['allowed', 'denied']),
          count: 1 + below(50),
          from: now - 600,
          to: now - 300,
        });
    }
    if (chance(10)) {
      const connection = {
        iss: IDP,
        idp_client_id: `${client}-at-idp`,
        aud: [RAS],
        client_id: client,
        resource: [API],
        scope: scopes(),
        ...agent,
      };
      say('idp', pick(['connection.created', 'connection.updated', 'connection.deleted']), connection);
    }
    if (chance(3)) say('chat', 'token.revoked', { iss: RAS, jti: `at-${n}` });
    if (chance(2)) say('idp', 'session.ended', { iss: IDP, sid: `s-${below(10)}`, sub: user });
    if (chance(3)) {
      const id = randomUUID();
      for (const status of [200, 500])
        say('chat', 'access.allowed', access({ token: ref, status }), { id, kind: 'rival' });
    }
    if (chance(6)) sent.push(badRecord(pick(['idp', 'chat']), pick(BAD), idpUri));
  }
  return shuffle(sent, below);
}

type Bad = (message: Message, idpUri: string) => Message;

const BAD: readonly Bad[] = [
  (message) => ({ ...message, value: Buffer.from('{"iss":') }),
  (message) => ({ ...message, value: null }),
  (message) => ({ ...message, headers: {} }),
  (message) => ({ ...message, headers: { ...message.headers, ce_source: 'urn:nobody' } }),
  (message) => ({ ...message, headers: { ...message.headers, CE_ID: 'twice' } }),
  (message) => ({ ...message, headers: { ...message.headers, ce_type: 'dev.rescind.token.issued.v9' } }),
  (message) => ({ ...message, value: Buffer.from(JSON.stringify(token({ jti: 'a\0b' }))) }),
];

function badRecord(to: Sent['to'], spoil: Bad, uri: string): Sent {
  const event = buildEvent('access.allowed', { source: uri, data: access() }) as CloudEvent;
  return { to, event: undefined, kind: 'bad', message: spoil(toKafkaMessage(event, { mode: 'binary' }), uri) };
}

function shuffle<T>(items: readonly T[], below: (bound: number) => number): T[] {
  const shuffled = [...items];
  for (let at = shuffled.length - 1; at > 0; at -= 1) {
    const other = below(at + 1);
    [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
  }
  return shuffled;
}
