import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../../projections/index.js';
import type { Engine } from '../engine/engine.js';
import type { Room } from './rooms.js';

/** Indexes that one statement reads. */
const STEP = 50_000n;

const READ_HEAD = 'SELECT next_ix FROM ledger_head WHERE tenant = $1';
const COUNT_USES =
  'SELECT count(*)::int AS uses FROM (SELECT FROM access WHERE tenant = $1 AND ix >= $2::bigint LIMIT $3::int) u';
/** Cold uses lie in the archive with all that is known of them; the tail has what the archive lacks. */
const NO_COLD = { uses: () => [] };
const READ_USES = { name: 'tail-uses', text: loadSql(import.meta.url, 'read-uses.sql'), ...NO_COLD };
const READ_LATE = { name: 'tail-late', text: loadSql(import.meta.url, 'read-late.sql'), ...NO_COLD };

export interface ExtendOptions {
  readonly engine: Engine;
  readonly maxUses: number;
  /** Tells below which index no question needs the uses. */
  readonly lowestEnd: () => bigint;
}

/**
 * Extends the room's tail to the head of the snapshot, and takes out the uses that no question needs.
 * A load is a transaction of the engine: if it fails, the tail is as it was.
 */
export async function extendTail(
  room: Room,
  snapshot: Snapshot,
  { engine, maxUses, lowestEnd }: ExtendOptions,
): Promise<void> {
  const [ledger] = await snapshot.rows<{ next_ix: string }>(READ_HEAD);
  const head = BigInt(ledger?.next_ix ?? 0);
  const lowest = lowestEnd();
  const trim = lowest > room.base ? lowest : null;
  if (head > room.head) {
    const [count] = await snapshot.rows<{ uses: number }>({ text: COUNT_USES, ...NO_COLD }, [
      String(room.head),
      maxUses + 1,
    ]);
    if (room.uses + count!.uses > maxUses) throw tooMany(maxUses);
    const uses = join(room.scratch, 'uses.csv');
    const late = join(room.scratch, 'late.csv');
    try {
      const hasUses = await writeLines(uses, usesFrom(snapshot, room.head, head));
      const hasLate = await writeLines(late, lateFrom(snapshot, room.head));
      room.uses = await engine.load(room.name, { uses: hasUses ? uses : null, late: hasLate ? late : null, trim });
    } finally {
      await Promise.all([rm(uses, { force: true }), rm(late, { force: true })]);
    }
    room.head = head;
  } else if (trim !== null) room.uses = await engine.load(room.name, { uses: null, late: null, trim });
  if (trim !== null) room.base = trim;
}

const tooMany = (most: number): RescindError =>
  new RescindError('not-archived', {
    detail: `more than ${most.toLocaleString('en')} uses are not archived: run the role \`archive\`, or wait until it has caught up`,
  });

type Lines = AsyncIterable<readonly { readonly lines: string }[]>;

async function* usesFrom(snapshot: Snapshot, from: bigint, head: bigint): Lines {
  for (let first = from; first < head; first += STEP) {
    const end = first + STEP < head ? first + STEP : head;
    yield await snapshot.rows<{ lines: string }>(READ_USES, [String(first), String(end)]);
  }
}

async function* lateFrom(snapshot: Snapshot, from: bigint): Lines {
  yield await snapshot.rows<{ lines: string }>(READ_LATE, [String(from)]);
}

/** Writes lines to a new file; returns whether there were any. */
async function writeLines(path: string, chunks: Lines): Promise<boolean> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  const failed = once(file, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => undefined);
  let any = false;
  for await (const rows of chunks) {
    for (const { lines } of rows) {
      any = true;
      if (!file.write(`${lines}\n`)) await Promise.race([once(file, 'drain'), failed]);
    }
  }
  file.end();
  await Promise.race([once(file, 'close'), failed]);
  return any;
}
