import { generateKeyPairSync, sign } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { appendEntries, prepareEntry, readPublished } from '../../../src/log/index.js';
import {
  cosignedMessage,
  encodeCosignature,
  formatNote,
  parseNote,
  verifierKey,
  type VerifierKey,
} from '../../../src/merkle/index.js';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { createLedgerHandler } from '../../../src/query/ledger/ledger-handler.js';
import { testLog } from '../../support/services.js';
import { createLedgerWorld, LOG_ORIGIN, type LedgerWorld } from './ledger-fixture.js';

export const ENTRIES = 600n;
export const SOURCE = '0192f0c1-7d3e-7a10-9c55-3f1f2b8f4c01';
/** Entries of rules: each tells a record of the control log. One rule is lifted. */
export const RULES = 3;
/** The entry whose payload was erased. */
export const ERASED = 7;
/** The order that keeps its payload since a person was erased from it, because somebody else is its author. */
export const PARTLY_ERASED = 20;
const ERASURE = '0192f0c1-7d3e-7a10-9c55-3f1f2b8f4d01';
const TIME = 1_790_000_000n;

const TABLES = [
  'entry',
  'payload',
  'entry_remainder',
  'erasure',
  'entity',
  'dedupe',
  'tree_tile',
  'tree_head',
  'ledger_head',
  'ledger_checkpoint',
  'ledger_key',
  'control_head',
  'control_log',
  'control_outbox',
  'ledger_partitions',
  'source_count',
  'rule_version',
];

/** A published ledger of 600 entries, with rules and events of a source, that can be put back to what it was. */
export interface FsckWorld extends LedgerWorld {
  /** Has cosigned the newest checkpoint. */
  readonly witness: VerifierKey;
  restore(): Promise<void>;
}

export async function createFsckWorld(): Promise<FsckWorld> {
  const world = await createLedgerWorld();
  const { pool, tenant, query } = world;
  const add = (parts: { type: string; source: string; mode: 'own' | 'binary'; data: object }[]) =>
    inTransaction(pool, (client) =>
      appendEntries(
        client,
        parts.map(({ type, source, mode, data }, nth) =>
          prepareEntry({
            tenant,
            tenantKey: Buffer.alloc(32, 7),
            type: `dev.rescind.${type}.v1`,
            source,
            eventId: `${type}-${nth}`,
            mode,
            headers: mode === 'own' ? [] : [['ce_id', Buffer.from(`${type}-${nth}`)]],
            bytes: Buffer.from(JSON.stringify({ data })),
          }),
        ),
        () => 'the same',
      ),
    );
  const keeper = world.keeper();
  await add(
    Array.from({ length: 20 }, (_, nth) => ({
      type: 'user.disabled',
      source: SOURCE,
      mode: 'binary' as const,
      data: { nth },
    })),
  );
  await query(
    `INSERT INTO source_count (tenant, source, what, day, blk, n, total, last_ix, last_arrival, ahead, prompt)
     VALUES ($1, $2, 'user.disabled', 1, 0, 20, 20, 19, 0, 0, 0)`,
    [tenant, SOURCE],
  );
  await query('INSERT INTO entity (tenant, id, kind, key, parts, from_ix) VALUES ($1, 2, 1, $2, $3, 0)', [
    tenant,
    '\\x01',
    '[]',
  ]);
  await query('UPDATE ledger_head SET next_entity = 3');
  const rules = Array.from({ length: RULES }, (_, nth) => ({
    effect: 'block',
    selector: { user: { iss: 'https://idp.example', sub: `u${nth}` } },
    reauthenticate: false,
    reason: 'a spec',
    author: { caller: 'admin' },
  }));
  const ordered = rules.map((rule, nth) => ({ rule: `r${nth}`, seq: String(10 + nth), ...rule }));
  const lift = { rule: 'r2', resume: true, reason: 'a spec', author: { caller: 'admin' } };
  const own = (type: string, data: object) => ({ type, source: tenant, mode: 'own' as const, data });
  await add(ordered.map((data) => own('revocation.ordered', data)));
  await add([own('revocation.lifted', { ...lift, seq: '13', at: Number(TIME) })]);
  const record = (seq: number, kind: string, subject: string, body: object) =>
    query(
      'INSERT INTO control_log (seq, tenant, kind, subject, version, at, body) VALUES ($1, $2, $3, $4, 1, to_timestamp($5), $6)',
      [seq, tenant, kind, subject, String(TIME), JSON.stringify(body)],
    );
  const erased = { ...ordered[0], selector: { user: { iss: 'https://idp.example', sub: 'erased person AAAA' } } };
  for (const [nth, rule] of rules.entries()) {
    const selector = nth === 0 ? erased.selector : rule.selector;
    await record(10 + nth, 'rule.ordered', `r${nth}`, { id: `r${nth}`, shape: 1, key: 'k', ...rule, selector });
    await query(
      `INSERT INTO rule_version (tenant, rule, from_ix, arrival_ms, seq, ordered_ms, effect, selector, keys, lead, resume, reauthenticate, reason, author)
       VALUES ($1, $2, 20, 0, $3, 0, 'block', '{}', '{}', '', false, false, 'a spec', '{}')`,
      [tenant, `r${nth}`, 10 + nth],
    );
  }
  await record(13, 'rule.lifted', 'r2', lift);
  await query('UPDATE control_head SET seq = 20');
  await query('UPDATE control_outbox SET seq = 13');
  await query(
    `INSERT INTO erasure (tenant, id, person, below, step, reason, author, asked_ms) VALUES ($1, $2, $3, 30, 'done', 'a spec', '{}', 0)`,
    [tenant, ERASURE, Buffer.alloc(16, 1)],
  );
  for (const [ix, data] of [
    [ERASED, {}],
    [PARTLY_ERASED, erased],
  ] as const)
    await query('INSERT INTO entry_remainder (tenant, ix, erasure, said) VALUES ($1, $2, $3, $4)', [
      tenant,
      ix,
      ERASURE,
      JSON.stringify({ data, id: 'x', time: '2026-12-01T00:00:00.000Z' }),
    ]);
  await query('UPDATE dedupe SET hash = $2 WHERE ix = $1', [ERASED, Buffer.alloc(32, 2)]);
  await query('DELETE FROM payload WHERE ix = $1', [ERASED]);
  await world.append(300);
  await world.untilPublished(324n);
  await world.append(Number(ENTRIES) - 324);
  await world.untilPublished(ENTRIES);
  await keeper.stop();
  const { witness, cosign } = createWitness();
  await query('UPDATE ledger_checkpoint SET note = $1, witnessed_size = size, witnessed_note = $1, witnessed_at = at', [
    cosign((await readPublished(pool, tenant))!.note),
  ]);
  for (const table of TABLES) await query(`CREATE TABLE kept_${table} AS TABLE ${table}`);
  const kept = `${world.root}-kept`;
  await cp(world.root, kept, { recursive: true });
  return {
    ...world,
    witness,
    async restore() {
      for (const table of TABLES) {
        await query(`DELETE FROM ${table}`);
        await query(`INSERT INTO ${table} TABLE kept_${table}`);
      }
      await rm(world.root, { recursive: true });
      await cp(kept, world.root, { recursive: true });
    },
    async stop() {
      await rm(kept, { recursive: true, force: true });
      await world.stop();
    },
  };
}

function createWitness() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const witness = verifierKey('witness.example', 'cosignature', raw);
  const cosign = (note: string): string => {
    const { text, signatures } = parseNote(note)!;
    const signature = encodeCosignature(TIME, sign(null, cosignedMessage(text, TIME), privateKey));
    return formatNote({ text, signatures: [...signatures, { name: witness.name, keyId: witness.id, signature }] });
  };
  return { witness, cosign };
}

/** Serves the ledger of a world as the service does, and its tiles to everybody. */
export function serveLedger({ pool, tenant }: LedgerWorld): Promise<Served> {
  const handler = createLedgerHandler({
    pool,
    logOrigin: LOG_ORIGIN,
    publicLedgers: new Set([tenant]),
    identify: () => Promise.reject(new TypeError('the ledger is public')),
    remoteAddress: () => '127.0.0.1',
    log: testLog(),
  });
  return listen(
    createServer((request, response) => void handler(request, response)),
    `/ledger/${tenant}/`,
  );
}

export interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

async function listen(server: Server, path: string): Promise<Served> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An answer of a proxy in place of the log's. */
export interface Changed {
  readonly status?: number;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends this again and again, and never ends. */
  readonly endless?: Uint8Array;
  /** Never answers. */
  readonly silent?: true;
}

/** Changes the part at a path below the log; undefined leaves it as it is. */
export type Change = (path: string, body: Buffer, request: IncomingMessage) => Changed | Uint8Array | undefined;

/** Stands between a log and its checker. */
export function startProxy(upstream: string): Promise<Served & { change: Change }> {
  const prefix = new URL(upstream).pathname;
  const proxy: { change: Change } = { change: () => undefined };
  const server = createServer((request, response) => {
    void (async () => {
      const path = request.url!.slice(prefix.length);
      const answer = await fetch(upstream + path);
      const body = Buffer.from(await answer.arrayBuffer());
      const made = proxy.change(path, body, request);
      const changed: Changed = made instanceof Uint8Array ? { body: made } : (made ?? {});
      if (changed.silent) return;
      response.writeHead(changed.status ?? answer.status, changed.headers);
      if (changed.endless === undefined) return response.end(changed.body ?? body);
      const send = (): void => {
        while (!response.destroyed && response.write(changed.endless));
        response.once('drain', send);
      };
      send();
    })();
  });
  return listen(server, prefix).then((served) => Object.assign(proxy, served));
}
