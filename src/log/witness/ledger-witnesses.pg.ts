import { setTimeout as delay } from 'node:timers/promises';
import { formatNote, parseNote, proveConsistency, type Note, type NoteSignature } from '../../merkle/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { readPublished, type Published } from '../publish/published.pg.js';
import { readTreeNodes } from '../tree/tiles.pg.js';
import { askWitness } from './ask-witness.js';
import type { Witness } from './witnesses.js';

/** Pause between two rounds. */
const ASK_EVERY_MS = 10_000;

/** A newer one replaces an older one; more cosignatures of the same size replace fewer. Those of the newest checkpoint are served in it. */
const STORE = `
UPDATE ledger_checkpoint
   SET witnessed_size = $3, witnessed_note = $4, witnessed_at = clock_timestamp(), note = CASE WHEN size = $3 THEN $4 ELSE note END
 WHERE tenant = $1 AND incarnation = $2 AND coalesce(witnessed_size, 0) <= $3`;

/** Lists the witnesses that are asked, so that one which cosigns nothing is seen. */
const LIST = `
INSERT INTO ledger_witness (tenant, incarnation, name) SELECT $1, $2, name FROM unnest($3::text[]) AS asked (name)
ON CONFLICT DO NOTHING`;

/** Witnesses that are asked no more would fall behind for ever. */
const UNLIST = 'DELETE FROM ledger_witness WHERE tenant = $1 AND incarnation = $2 AND name <> ALL ($3::text[])';

const COSIGNED = `
UPDATE ledger_witness SET size = $4, at = clock_timestamp()
 WHERE tenant = $1 AND incarnation = $2 AND name = ANY ($3::text[]) AND size < $4`;

const UNWITNESSED = `
SELECT published.tenant FROM ledger_checkpoint AS published JOIN tree_head AS tree USING (tenant, incarnation)
 WHERE coalesce(published.witnessed_size, 0) < published.size ORDER BY published.tenant`;

export interface LedgerWitnessesOptions {
  readonly pool: Pool;
  readonly witnesses: readonly Witness[];
  readonly log: Log;
  readonly metrics: Metrics;
  readonly askEveryMs?: number;
}

export interface LedgerWitnesses {
  start(): void;
  stop(): Promise<void>;
}

/** Asks every witness to cosign the newest checkpoint of every ledger, off the path of publication. A witness that fails delays no other. */
export function createLedgerWitnesses(options: LedgerWitnessesOptions): LedgerWitnesses {
  const { pool, witnesses, log, metrics, askEveryMs = ASK_EVERY_MS } = options;
  const stopping = new AbortController();
  /** Size that a witness has seen of an origin. A wrong guess costs one more question. */
  const seen = new Map<string, bigint>();
  const answers = metrics.counter('rescind_ledger_witness_answers_total', 'Answers of witnesses.', [
    'witness',
    'outcome',
  ]);
  let running: Promise<void> = Promise.resolve();

  async function cosign(witness: Witness, tenant: string, published: Published, note: Note): Promise<NoteSignature> {
    const origin = note.text.slice(0, note.text.indexOf('\n'));
    const key = `${witness.key.name} ${origin}`;
    for (let attempt = 0; ; attempt += 1) {
      const old = seen.get(key) ?? 0n;
      const readNodes = readTreeNodes(pool, tenant, published.size);
      const proof = await proveConsistency(old, published.size, readNodes);
      const answer = await askWitness(witness, { old, proof, note: published.note, text: note.text }, stopping.signal);
      if ('cosignature' in answer) {
        seen.set(key, published.size);
        return answer.cosignature;
      }
      // Another tree under this origin was signed and shown: an old backup went on, or the key is in other hands.
      if (answer.seen > published.size) throw new Error(`${witness.key.name} has seen ${answer.seen} entries`);
      if (attempt > 0) throw new Error(`${witness.key.name} does not take the proof that it asked for`);
      seen.set(key, answer.seen);
    }
  }

  async function witnessLedger(tenant: string): Promise<void> {
    const published = await readPublished(pool, tenant);
    const note = published && parseNote(published.note);
    if (!note) return;
    const { incarnation, size } = published;
    const names = witnesses.map(({ key }) => key.name);
    await pool.query(LIST, [tenant, incarnation, names]);
    await pool.query(UNLIST, [tenant, incarnation, names]);
    const given = await Promise.allSettled(witnesses.map((witness) => cosign(witness, tenant, published, note)));
    const cosignatures = given.flatMap((result, nth) => {
      const { name } = witnesses[nth]!.key;
      answers.inc({ witness: name, outcome: result.status === 'fulfilled' ? 'cosigned' : 'failed' });
      if (result.status === 'fulfilled') return [result.value];
      if (!stopping.signal.aborted)
        log.warn(
          { err: result.reason as unknown, tenant, witness: name },
          'a witness did not cosign; asking again later',
        );
      return [];
    });
    if (cosignatures.length === 0) return;
    const others = note.signatures.filter(({ keyId }) => !cosignatures.some((one) => one.keyId === keyId));
    const cosigned = formatNote({ text: note.text, signatures: [...others, ...cosignatures] });
    const cosigners = cosignatures.map(({ name }) => name);
    await pool.query(COSIGNED, [tenant, incarnation, cosigners, String(size)]);
    await pool.query(STORE, [tenant, incarnation, String(size), cosigned]);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const { rows } = await pool.query<{ tenant: string }>(UNWITNESSED);
        for (const { tenant } of rows) if (!stopping.signal.aborted) await witnessLedger(tenant);
      } catch (err) {
        if (!stopping.signal.aborted) log.warn({ err }, 'cannot ask witnesses; trying again later');
      }
      await delay(askEveryMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  }

  return {
    start() {
      if (witnesses.length > 0) running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
