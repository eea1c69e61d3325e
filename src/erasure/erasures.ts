import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { authorOf, holdsSecret, RescindError, timeText, type Person as SignedIn } from '../contracts/index.js';
import type { Log } from '../platform/log/index.js';
import { inTransaction } from '../platform/postgres/index.js';
import { createInputReader } from '../registry/index.js';
import { ERASED_PREFIX, userKey, userParts, type Parts } from '../rules/index.js';
import { ErasureInput, PreviewInput, type Erasure, type ErasurePreview } from './answers.js';
import { findPersonNames, type FoundNames } from './find-names.pg.js';
import { createEraser, type Eraser } from './person.js';
import { previewErasure } from './preview.pg.js';
import { advance, type RunOptions } from './run.pg.js';
import { addErasure, findErasure, findRunning, listErasures, type StoredErasure } from './stored.pg.js';
import type { Tenant } from './tenant.js';

/** Pause between two looks for erasures that another process began or left. */
const LOOK_EVERY_MS = 5_000;
/** How long an order waits for entries that are owed to earlier orders, and how often it looks. Without the role `ingest` nobody writes them. */
const OWED_WAIT_MS = 10_000;
const OWED_POLL_MS = 50;

/** The part of a caller that decides what it may erase. */
export interface Asker {
  readonly id: string;
  readonly tenant: string;
  readonly person?: SignedIn;
}

/** Erases persons: GDPR, article 17. */
export interface Erasures {
  /** Says what an erasure would change, what stays and why, and which copies it does not reach. Changes nothing. */
  preview(asker: Asker, body: unknown): Promise<ErasurePreview>;
  /** Begins an erasure, or returns the one of this person that runs. It goes on by itself, in any process of the deployment. */
  order(asker: Asker, body: unknown): Promise<Erasure>;
  list(asker: Asker): Promise<readonly Erasure[]>;
  one(asker: Asker, id: string): Promise<Erasure>;
  start(): void;
  stop(): Promise<void>;
}

export interface ErasuresOptions extends RunOptions {
  readonly tenants: () => Iterable<Tenant>;
  readonly countNameFiles?: (tenant: string, ids: readonly number[]) => Promise<number>;
  readonly log: Log;
}

const readErasure = createInputReader(ErasureInput);
const readPreview = createInputReader(PreviewInput);
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createErasures(options: ErasuresOptions): Erasures {
  const { pool, tenants, log, now = Date.now } = options;
  const ending = new AbortController();
  let woken = new AbortController();
  let running: Promise<void> | undefined;

  const tenantOf = (id: string): Tenant => [...tenants()].find((one) => one.id === id)!;

  /** Waits for the entries of rules that were ordered before: they may name the person, and must lie below the end of the erasure. */
  async function settleOwed(): Promise<void> {
    const until = performance.now() + OWED_WAIT_MS;
    const { rows } = await pool.query<{ seq: string }>('SELECT seq FROM control_head');
    for (;;) {
      const { rowCount } = await pool.query('SELECT FROM control_outbox WHERE seq >= $1', [rows[0]!.seq]);
      if (rowCount === 1 || performance.now() > until || ending.signal.aborted) return;
      await delay(OWED_POLL_MS);
    }
  }

  /** Finds the names and the end of the ledger in one snapshot, so that each name that the ledger has below the end is seen. */
  const findNames = (tenant: Tenant, user: Parts): Promise<{ readonly names: FoundNames; readonly below: bigint }> =>
    inTransaction(pool, async (client) => {
      await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const { rows } = await client.query<{ next_ix: string }>('SELECT next_ix FROM ledger_head WHERE tenant = $1', [
        tenant.id,
      ]);
      const names = await findPersonNames(client, { tenant: tenant.id, tenantKey: tenant.key, user });
      return { names, below: BigInt(rows[0]?.next_ix ?? 0) };
    });

  async function advanceAll(): Promise<boolean> {
    let isMore = false;
    for (const tenant of tenants())
      while (!ending.signal.aborted) {
        const advanced = await advance(options, tenant);
        isMore ||= advanced === 'held';
        if (advanced !== 'moved') break;
      }
    return isMore;
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      woken = new AbortController();
      await advanceAll().catch((err: unknown) => {
        if (!ending.signal.aborted)
          log.warn({ err, retry_ms: LOOK_EVERY_MS }, 'cannot go on with an erasure; retrying');
      });
      const signal = AbortSignal.any([ending.signal, woken.signal]);
      await delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  return {
    async preview(asker, body) {
      const { user } = readPreview(body);
      const tenant = tenantOf(asker.tenant);
      const { names, below } = await findNames(tenant, partsOf(user));
      return previewErasure(options, tenant, names, below);
    },
    async order(asker, body) {
      const { user, reason, on_behalf_of } = readErasure(body);
      const tenant = tenantOf(asker.tenant);
      const parts = partsOf(user);
      const person = Buffer.from(userKey(tenant.key, parts), 'latin1');
      const known = await findRunning(pool, tenant.id, person);
      if (known !== undefined) return erasureOf(known);
      await settleOwed();
      const { names, below } = await findNames(tenant, parts);
      const eraser = createEraser(tenant.key, names);
      requireNameless(reason, eraser);
      const one = {
        id: randomUUID(),
        person,
        names,
        below,
        reason,
        author: eraser.data(authorOf(asker, { on_behalf_of })),
        askedMs: now(),
      };
      await addErasure(pool, tenant.id, one);
      woken.abort();
      return erasureOf((await findErasure(pool, tenant.id, one.id)) ?? (await findRunning(pool, tenant.id, person))!);
    },
    list: async ({ tenant }) => (await listErasures(pool, tenant)).map(erasureOf),
    async one({ tenant }, id) {
      const found = UUID.test(id) ? await findErasure(pool, tenant, id) : undefined;
      if (found === undefined) throw new RescindError('not-found', { detail: 'there is no erasure of this id' });
      return erasureOf(found);
    },
    start() {
      running ??= run();
    },
    async stop() {
      ending.abort();
      await running;
    },
  };
}

function partsOf(user: ErasureInput['user']): Parts {
  if (user.sub.startsWith(ERASED_PREFIX))
    throw new RescindError('inconsistent-request', { detail: 'this name stands for a person who was erased already' });
  return userParts(user);
}

/** The reason is kept in the ledger for ever. */
function requireNameless(reason: string, eraser: Eraser): void {
  if (holdsSecret(reason)) throw new RescindError('token-in-request');
  if (eraser.isIn(reason))
    throw new RescindError('invalid-request', {
      detail: '`reason` names the person: it is kept in the ledger; name the request instead',
    });
}

const erasureOf = (one: StoredErasure): Erasure => ({
  id: one.id,
  person: one.person.toString('base64url'),
  shown: `${ERASED_PREFIX}${one.person.toString('base64url').slice(0, 8)}`,
  state: one.step === 'done' ? 'done' : 'running',
  step: one.step,
  below: String(one.below),
  entries: { erased: one.erased, kept: one.kept },
  reason: one.reason,
  author: one.author,
  asked_at: timeText(Math.floor(one.askedMs / 1000)),
  done_at: one.doneMs === null ? null : timeText(Math.floor(one.doneMs / 1000)),
  entry: one.entry,
});
