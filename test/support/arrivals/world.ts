import type { EventDataOf, EventName } from '../../../src/contracts/index.js';
import {
  CONTROL_RECORD_VERSION,
  createControlState,
  DEFAULT_TOKEN_PROFILE,
  type CallerRecord,
  type ControlRecord,
  type NewControlRecord,
  type Seq,
  type SourceRecord,
} from '../../../src/control/index.js';
import { accept, type Accepted, type Arrived, type Rejected } from '../../../src/ingest/accept/accept.js';

/** Sources and callers, and the records that they send: good ones, to be spoilt in one place. */
export const NOW_MS = Date.UTC(2026, 10, 24, 12);
export const NOW = NOW_MS / 1000;
export const IDP = 'https://idp.acme.example';
export const RAS = 'https://login.chat.example';
export const API = 'https://api.chat.example';
const ACME = '0b7f8e4e-6c1c-4b7e-9b1e-000000000001';
const OTHER = '0b7f8e4e-6c1c-4b7e-9b1e-000000000002';

const IDP_TYPES: EventName[] = ['id-jag.issued', 'session.ended', 'user.disabled'];
const RAS_TYPES: EventName[] = ['token.issued', 'token.revoked', 'access.allowed', 'access.denied', 'access.summary'];

const source = (name: string, over: Partial<SourceRecord>): SourceRecord => ({
  id: `5e0f0a4e-0000-4000-8000-${name.padStart(12, '0').replaceAll(/[^0-9a-f]/g, '0')}`,
  name,
  uri: `urn:source:${name}`,
  topic: `rescind.events.${name}`,
  types: RAS_TYPES,
  issuers: [RAS],
  resources: [API],
  profile: DEFAULT_TOKEN_PROFILE,
  disabled: false,
  ...over,
});

const caller = (id: string, sources: string[]): CallerRecord => ({
  id,
  roles: { emit: { sources } },
  secrets: [],
  disabled: false,
});

/** Folds a state from records, as a node does. */
function foldState() {
  const state = createControlState();
  let seq = 0n;
  const record = (one: NewControlRecord): void =>
    state.apply({ ...one, seq: ++seq as Seq, version: CONTROL_RECORD_VERSION, at: NOW_MS } as ControlRecord);
  for (const [id, name] of [
    [ACME, 'acme'],
    [OTHER, 'other'],
  ] as const) {
    record({
      kind: 'tenant.changed',
      tenant: id,
      subject: id,
      body: { id, name, key: Buffer.alloc(32, name).toString('base64url') },
    });
  }
  const sources: [string, SourceRecord][] = [
    [ACME, source('1-idp', { types: IDP_TYPES, issuers: [IDP], resources: [] })],
    [ACME, source('2-chat', {})],
    [ACME, source('3-closed', { disabled: true })],
    [ACME, source('4-gate-a', { topic: 'rescind.events.gates', resources: ['https://a.example'] })],
    [ACME, source('5-gate-b', { topic: 'rescind.events.gates', resources: ['https://b.example'] })],
    [
      ACME,
      source('7-realm', {
        profile: { ...DEFAULT_TOKEN_PROFILE, default_resource: API, ignored_audiences: ['account', 'broker'] },
      }),
    ],
    [ACME, source('8-signing', { signature: 'required' })],
    [OTHER, source('6-other', { issuers: ['https://login.other.example'], resources: ['https://api.other.example'] })],
  ];
  for (const [tenant, body] of sources) record({ kind: 'source.changed', tenant, subject: body.id, body });
  for (const body of [
    caller('emitter', ['1-idp', '2-chat']),
    caller('narrow', ['1-idp']),
    caller('reaching', ['2-chat', '6-other']),
  ]) {
    record({ kind: 'caller.changed', tenant: ACME, subject: body.id, body });
  }
  return state;
}
export const state = foldState();

export const idJag = (over: object = {}): EventDataOf['id-jag.issued'] => ({
  iss: IDP,
  jti: 'gr-1',
  sub: 'alice',
  client_id: 'wiki-at-chat',
  idp_client_id: 'wiki-at-idp',
  aud: [RAS],
  iat: NOW - 10,
  exp: NOW + 300,
  ...over,
});

export const token = (over: object = {}): EventDataOf['token.issued'] => ({
  kind: 'access',
  iss: RAS,
  jti: 'at-1',
  client_id: 'wiki-at-chat',
  aud: [API],
  scope: 'chat.read',
  iat: NOW - 5,
  exp: NOW + 900,
  id_jag: { iss: IDP, jti: 'gr-1', sub: 'alice' },
  ...over,
});

export const access = (over: object = {}): EventDataOf['access.allowed'] => ({
  token: { iss: RAS, jti: 'at-1' },
  operation: 'read',
  ...over,
});

type Envelope = Record<string, unknown>;
export const said = (name: string, from: string, data: unknown, over: Envelope = {}): Envelope => ({
  specversion: '1.0',
  type: `dev.rescind.${name}.v1`,
  source: `urn:source:${from}`,
  id: 'e-1',
  time: new Date(NOW_MS - 1000).toISOString(),
  data,
  ...over,
});

export const structured: Arrived['headers'] = [['content-type', Buffer.from('application/cloudevents+json')]];
export const onTopic = (name: string): Arrived['door'] => ({ kind: 'kafka', topic: `rescind.events.${name}` });
export const byCaller = (id: string): Arrived['door'] => ({ kind: 'http', caller: state.caller(id)! });
export const base64 = (data: unknown): string => text(data).toString('base64');
export const text = (event: unknown): Buffer => Buffer.from(typeof event === 'string' ? event : JSON.stringify(event));

export const judge = (arrived: Partial<Arrived> & { bytes: Buffer }): Accepted | Rejected =>
  accept({ mode: 'structured', headers: structured, door: onTopic('2-chat'), ...arrived }, state, NOW_MS);
export const say = (event: unknown, door = onTopic('2-chat')): Accepted | Rejected =>
  judge({ bytes: text(event), door });

export type Headers = [string, Buffer | string][];
const BINARY: Headers = [
  ['ce_specversion', '1.0'],
  ['ce_type', 'dev.rescind.token.issued.v1'],
  ['ce_source', 'urn:source:2-chat'],
  ['ce_id', 'e-1'],
  ['ce_time', new Date(NOW_MS - 1000).toISOString()],
  ['content-type', 'application/json'],
];
export const binary = (over: Headers, drop: string[] = [], bytes = text(token())): Accepted | Rejected =>
  judge({
    mode: 'binary',
    headers: [...BINARY.filter(([name]) => !drop.includes(name)), ...over].map(
      ([name, value]) => [name, Buffer.from(value)] as const,
    ),
    bytes,
  });

export const compact = (header: string, payload: string): string =>
  `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}.c2lnbmF0dXJl`;
export const JWS = compact('{"alg":"ES256","kid":"1"}', '{"sub":"alice","aud":"x"}');
