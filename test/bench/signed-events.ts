import { createPublicKey, randomUUID, verify, type KeyObject } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { audienceOfTenant, parseCompactJws, type CloudEvent } from '../../src/contracts/index.js';
import {
  CONTROL_RECORD_VERSION,
  createControlState,
  DEFAULT_TOKEN_PROFILE,
  type ControlRecord,
  type ControlState,
  type NewControlRecord,
  type Seq,
  type SourceRecord,
} from '../../src/control/index.js';
import { buildEvent, createSigner, type Signer } from '../../src/emit/index.js';
import { accept, createSignatures, type Arrived, type SignatureChecks } from '../../src/ingest/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { createKeySets } from '../../src/registry/index.js';
import { makeKey, type Algorithm, type SigningKey } from '../conformance/signing.js';
import { median, type Row } from './report.js';

const ALGORITHMS: readonly Algorithm[] = ['ES256', 'EdDSA', 'RS256'];
const EVENTS = 2_000;
const EVENTS_A_BATCH = 100;
/** SETs that are checked at once, as many as a partition's run has. */
const AT_ONCE = 16;
const ROUNDS = 7;
const TENANT = randomUUID();
const SOURCE = 'https://login.chat.example/events';
const TOPIC = 'rescind.events.chat';
const DOOR = { kind: 'kafka', topic: TOPIC } as const;
const AUDIENCE = audienceOfTenant(TENANT);

/**
 * Measures what signatures cost the intake: checking and deciding, without storing. Beside it, `accept` of the same events unsigned. The floor is
 * bare `crypto.verify` on libuv's threads, as many at once, of the same signing inputs.
 */
export async function run(): Promise<readonly Row[]> {
  const keys = ALGORITHMS.map((alg) => makeKey(alg, alg));
  const state = stateWith(keys);
  const keySets = createKeySets({
    state,
    log: createLog({ level: process.env['BENCH_LOG_LEVEL'] ?? 'error' }),
    allowedHosts: [],
  });
  const signatures = createSignatures({
    // Inline keys are not recorded.
    pool: { query: () => Promise.reject(new Error('unused')) } as never,
    state,
    keySets,
    appender: { submit: async () => [] },
  });
  const events = Array.from({ length: EVENTS }, anEvent);
  const rows: Row[] = [unsignedRow(events, state)];
  for (const key of keys) {
    const jwk = { ...key.privateKey.export({ format: 'jwk' }), kid: key.kid, alg: key.alg };
    const signer = createSigner({ source: SOURCE, audience: AUDIENCE, jwk });
    rows.push(
      await singleRow(key, signer, events, signatures, state),
      await batchRow(key, signer, events, signatures, state),
    );
  }
  keySets.stop();
  return rows;
}

function stateWith(keys: readonly SigningKey[]): ControlState {
  const state = createControlState();
  let seq = 0n;
  const record = (one: NewControlRecord): void =>
    state.apply({ ...one, seq: ++seq as Seq, version: CONTROL_RECORD_VERSION, at: Date.now() } as ControlRecord);
  const tenant = { id: TENANT, name: 'acme', key: Buffer.alloc(32, 7).toString('base64url') };
  record({ kind: 'tenant.changed', tenant: TENANT, subject: TENANT, body: tenant });
  const body: SourceRecord = {
    id: randomUUID(),
    name: 'chat',
    uri: SOURCE,
    topic: TOPIC,
    types: ['access.allowed'],
    issuers: ['https://login.chat.example'],
    resources: ['https://api.chat.example'],
    jwks: { keys: keys.map(({ jwk }) => jwk) },
    profile: DEFAULT_TOKEN_PROFILE,
    disabled: false,
  };
  record({ kind: 'source.changed', tenant: TENANT, subject: body.id, body });
  return state;
}

const anEvent = (): CloudEvent =>
  buildEvent('access.allowed', {
    source: SOURCE,
    data: {
      token: { iss: 'https://login.chat.example', jti: randomUUID() },
      operation: 'read',
      route: 'GET /messages',
      scope: 'chat.read',
      status: 200,
      records: 3,
      client_address: '192.0.2.7',
    },
  });

const structured = (event: CloudEvent): Arrived => ({
  mode: 'structured',
  headers: [['content-type', Buffer.from('application/cloudevents+json')]],
  bytes: Buffer.from(JSON.stringify(event)),
  door: DOOR,
});

function decide(arrived: Arrived, state: ControlState): void {
  const judged = accept(arrived, state, Date.now());
  if (!judged.accepted) throw new Error(`${judged.code}: ${judged.detail}`);
}

function unsignedRow(events: readonly CloudEvent[], state: ControlState): Row {
  const arrived = events.map(structured);
  const rates = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    for (const one of arrived) decide(one, state);
    return ratePerSecond(EVENTS, began);
  });
  return {
    name: 'ingest.signed.none',
    value: median(rates),
    unit: 'events/s',
    note: 'the same events unsigned: accept alone, on one core',
  };
}

const ratePerSecond = (count: number, began: number): number => (count * 1_000) / (performance.now() - began);

async function inRuns<T>(all: readonly T[], act: (one: T) => Promise<unknown>): Promise<number> {
  const began = performance.now();
  for (let at = 0; at < all.length; at += AT_ONCE) await Promise.all(all.slice(at, at + AT_ONCE).map(act));
  return ratePerSecond(all.length, began);
}

async function singleRow(
  key: SigningKey,
  signer: Signer,
  events: readonly CloudEvent[],
  signatures: SignatureChecks,
  state: ControlState,
): Promise<Row> {
  const sets = await Promise.all(events.map((event) => signer.signEvent(event)));
  const headers = [['content-type', Buffer.from('application/secevent+jwt')]] as const;
  const arrived = sets.map((set): Arrived => ({ mode: 'set', headers, bytes: Buffer.from(set), door: DOOR }));
  const bare = bareVerification(key);
  const measured = await interleaved(
    () => inRuns(arrived, async (one) => decide(await signatures.checkSet(one), state)),
    () => inRuns(sets, bare),
  );
  return {
    name: `ingest.signed.${key.alg}.single`,
    unit: 'events/s',
    ...measured,
    note: 'floor: bare crypto.verify, a signature an event',
  };
}

async function batchRow(
  key: SigningKey,
  signer: Signer,
  events: readonly CloudEvent[],
  signatures: SignatureChecks,
  state: ControlState,
): Promise<Row> {
  const texts = events.map((event) => JSON.stringify(event));
  const bodies: Buffer[] = [];
  for (let at = 0; at < EVENTS; at += EVENTS_A_BATCH)
    bodies.push(await signer.signBatch(texts.slice(at, at + EVENTS_A_BATCH)));
  const manifests = bodies.map((body) => body.toString('latin1', 0, body.indexOf('\n')));
  const bare = bareVerification(key);
  const { value, floor } = await interleaved(
    () =>
      inRuns(bodies, async (body) => {
        const opened = await signatures.openBatch(body, DOOR);
        if (opened.refused) throw new Error(opened.refused.code);
        for (const one of opened.events) decide(one, state);
      }),
    () => inRuns(manifests, bare),
  );
  return {
    name: `ingest.signed.${key.alg}.batch`,
    unit: 'events/s',
    value: value * EVENTS_A_BATCH,
    floor: floor * EVENTS_A_BATCH,
    ratio: value / floor,
    note: `floor: bare crypto.verify of the manifests alone, ${EVENTS_A_BATCH} events each`,
  };
}

async function interleaved(
  sut: () => Promise<number>,
  bare: () => Promise<number>,
): Promise<{ value: number; floor: number; ratio: number }> {
  const [values, floors]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    values.push(await sut());
    floors.push(await bare());
  }
  const [value, floor] = [median(values), median(floors)];
  return { value, floor, ratio: value / floor };
}

/** Verifies a JWS with what is prepared ahead, and nothing else. */
function bareVerification({ alg, jwk }: SigningKey): (text: string) => Promise<void> {
  const key: KeyObject = createPublicKey({ key: jwk as never, format: 'jwk' });
  const digest = alg === 'EdDSA' ? null : 'sha256';
  const prepared = new Map<string, { readonly input: Buffer; readonly signature: Buffer }>();
  return (text) => {
    let one = prepared.get(text);
    if (!one) {
      const { signingInput, signature } = parseCompactJws(text)!;
      prepared.set(text, (one = { input: Buffer.from(signingInput), signature }));
    }
    const { input, signature } = one;
    return new Promise((resolve, reject) => {
      verify(digest, input, { key, dsaEncoding: 'ieee-p1363' }, signature, (error, good) =>
        error || !good ? reject(error ?? new Error('not verified')) : resolve(),
      );
    });
  };
}
