import { stat, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { checkDatabase, checkServed } from '../../../src/fsck/index.js';
import { contentOf, prepareOwnEvent } from '../../../src/ingest/index.js';
import {
  createLedgerWitnesses,
  listKeys,
  originOf,
  passLedgerFence,
  createProver,
  readPublished,
  rotateLogKey,
} from '../../../src/log/index.js';
import type { KeptCheckpoint } from '../../../src/log/index.js';
import { makeLogKey, readLogKey, type LogKey } from '../../../src/log/publish/log-key.js';
import { findLogKeys } from '../../../src/log/publish/keys.pg.js';
import { publishCheckpoint } from '../../../src/log/publish/publish.pg.js';
import { holdTree, integrateBatch } from '../../../src/log/tree/integrate.pg.js';
import type { RotateLogKeyOptions, RotationStep } from '../../../src/log/publish/rotate.pg.js';
import {
  encodeEntry,
  findSigners,
  formatEvidence,
  formatVerifierKey,
  parseNote,
  parseVerifierKey,
  verifierKey,
  verifyEvidence,
  type VerifierKey,
} from '../../../src/merkle/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { testLog } from '../../support/services.js';
import { serveLedger } from './fsck-world.js';
import { createLedgerWorld, LOG_ORIGIN, type LedgerWorld } from './ledger-fixture.js';
import { startWitness } from './witness-server.js';

const DAY_MS = 86_400_000;
const cleanups = cleanUp(afterEach);

/** A published ledger of `entries` entries, with a keeper that runs, a clock that stands, and all checkpoints that were signed. */
async function start(entries = 5) {
  const world = await createLedgerWorld();
  cleanups.push(() => world.stop());
  const clock = { ms: Date.now() };
  const signed: KeptCheckpoint[] = [];
  const keeper = () =>
    world.keeper({
      now: () => clock.ms,
      anchors: [{ name: 'seen', notes: async () => [], keep: async (_tenant, kept) => void signed.push(kept) }],
    });
  const sut = keeper();
  await world.append(entries);
  await world.untilPublished(BigInt(entries));
  const { pool, tenant, directory } = world;
  const rotate = (over: Partial<RotateLogKeyOptions> = {}) =>
    rotateLogKey({
      pool,
      tenant,
      logOrigin: LOG_ORIGIN,
      directory,
      now: () => clock.ms,
      contentOf,
      entryOf: ({ origin, from, to, until }) =>
        prepareOwnEvent({
          tenant: { id: tenant, key: Buffer.alloc(32, 7) },
          name: 'log-key.changed',
          id: `change-to-${to}`,
          timeMs: clock.ms,
          data: { origin, from, to, until, reason: 'a spec' },
        }),
      ...over,
    });
  /** Appends until the newest checkpoint covers as many entries as there are. */
  async function grow(count: number): Promise<bigint> {
    await world.append(count);
    const [{ next_ix }] = (await world.query<{ next_ix: string }>('SELECT next_ix FROM ledger_head WHERE tenant = $1', [
      tenant,
    ])) as [{ next_ix: string }];
    await world.untilPublished(BigInt(next_ix));
    return BigInt(next_ix);
  }
  const newest = async (): Promise<string> => (await readPublished(pool, tenant))!.note;
  return { world, clock, signed, sut, keeper, rotate, grow, newest };
}

const vkey = (text: string): VerifierKey => parseVerifierKey(text)!;
const verifierOf = ({ tenant }: LedgerWorld, { publicKey }: Pick<LogKey, 'publicKey'>): string =>
  formatVerifierKey(verifierKey(originOf(LOG_ORIGIN, tenant, 1), 'ed25519', publicKey));

/** Tells which of the keys signed a note. */
const signersOf = (note: string, keys: readonly string[]): readonly string[] =>
  [...findSigners(parseNote(note)!, keys.map(vkey))!.keys()].map(formatVerifierKey);

const keyFiles = async ({ files }: LedgerWorld): Promise<readonly string[]> =>
  (await files()).filter((file) => file.includes('key'));

/** Evidence of an entry, as the API gives it to somebody who may not see payloads. */
async function evidenceOf({ pool, tenant, query }: LedgerWorld, index: bigint): Promise<string> {
  const [row] = await query('SELECT arrival, type, source, commitment FROM entry WHERE tenant = $1 AND ix = $2', [
    tenant,
    String(index),
  ]);
  const { arrival, type, source, commitment } = row!;
  const entry = encodeEntry({ index, arrivalMs: BigInt(arrival), type, source, commitment });
  return formatEvidence({ entry, payload: null, proof: (await (await createProver(pool, tenant))(index))! });
}
const holds = async (evidence: string, key: string): Promise<boolean> =>
  (await verifyEvidence(evidence, [vkey(key)])).every(({ ok }) => ok);

describe('a change of the key', () => {
  it('is noticed by a running keeper, while entries come: both sign all that covers it, and later the new one alone', async () => {
    const { world, clock, signed, rotate, grow, newest } = await start();
    const over = new AbortController();
    const writing = (async () => {
      while (!over.signal.aborted) await world.append(3);
    })();
    while (signed.length < 5) await delay(5);
    const { from, to, until, index } = await rotate();
    const wanted = signed.length + 10;
    while (signed.length < wanted) await delay(5);
    over.abort();
    await writing;
    await grow(1);
    const covering = signed.filter(({ size }) => size > index);
    expect(covering.length).toBeGreaterThanOrEqual(10);
    for (const { size, note } of signed)
      expect({ size, signers: signersOf(note, [from, to]) }).toEqual({
        size,
        // The commit comes before the first checkpoint that covers it.
        signers: size > index ? [from, to] : expect.arrayContaining([from]),
      });
    expect(signersOf(signed[0]!.note, [from, to])).toEqual([from]);
    expect(until * 1000 - clock.ms).toBeGreaterThanOrEqual(30 * DAY_MS);

    clock.ms = until * 1000 - 1;
    await grow(1);
    expect(signersOf(await newest(), [from, to])).toEqual([from, to]);
    clock.ms = until * 1000;
    await grow(1);
    expect(signersOf(await newest(), [from, to])).toEqual([to]);
  });

  it('leaves evidence as it was: the former key verifies what it signed, and nothing behind its end', async () => {
    const { world, clock, rotate, grow } = await start();
    const before = await evidenceOf(world, 2n);
    const { from, to, until } = await rotate();
    await grow(300);
    const between = await evidenceOf(world, 2n);
    clock.ms = until * 1000;
    await grow(1);
    const after = await evidenceOf(world, 2n);
    const verdicts = (evidence: string) => Promise.all([holds(evidence, from), holds(evidence, to)]);
    expect(await Promise.all([verdicts(before), verdicts(between), verdicts(after)])).toEqual([
      [true, false],
      [true, true],
      [false, true],
    ]);
  });

  it('is told by its entry and listed with its times', async () => {
    const { world, rotate, grow } = await start();
    const { origin, from, to, until, index } = await rotate();
    expect(origin).toBe(originOf(LOG_ORIGIN, world.tenant, 1));
    await grow(1);
    const [row] = await world.query('SELECT bytes FROM payload WHERE tenant = $1 AND ix = $2', [world.tenant, index]);
    expect(JSON.parse(row!['bytes'].toString())).toMatchObject({
      type: 'dev.rescind.log-key.changed.v1',
      data: { origin, from, to, until, reason: 'a spec' },
    });
    const served = await serveLedger(world);
    cleanups.push(() => served.stop());
    const lines = (await (await fetch(`${served.url}keys`)).text()).split('\n').map((line) => line.split(' '));
    const [old, young] = await listKeys(world.pool, world.tenant);
    expect(lines).toEqual([
      [from, old!.since.toISOString(), new Date(until * 1000).toISOString()],
      [to, young!.since.toISOString()],
      [''],
    ]);
    expect((await stat(join(world.root, world.tenant, 'key-2'))).mode & 0o777).toBe(0o600);
  });

  it('takes a key that is given', async () => {
    const { world, rotate, grow, newest } = await start();
    const pem = makeLogKey();
    const { to } = await rotate({ pem });
    expect(to).toBe(verifierOf(world, readLogKey(pem)));
    await grow(1);
    expect(signersOf(await newest(), [to])).toEqual([to]);
  });

  it('may follow another that is not over, if the key is given: then three sign', async () => {
    const { rotate, grow, newest } = await start();
    const first = await rotate();
    const second = await rotate({ pem: makeLogKey() });
    expect(second.from).toBe(first.to);
    await grow(1);
    const keys = [first.from, first.to, second.to];
    expect(signersOf(await newest(), keys)).toEqual(keys);
  });
});

it('a key is looked for after the tree was read, so that no checkpoint covers a change without its signature', async () => {
  const { world, clock, sut, rotate } = await start();
  await sut.stop();
  const { pool, tenant, directory } = world;
  const integrate = async (size: bigint) => integrateBatch(pool, tenant, await holdTree(pool, tenant), size);
  await world.append(1);
  await integrate(6n);
  const checkpoint = await publishCheckpoint({
    session: pool,
    logOrigin: LOG_ORIGIN,
    tenant,
    anchors: [directory],
    last: undefined,
    async findKeys() {
      const keys = await findLogKeys(pool, tenant, directory, clock.ms);
      const { index } = await rotate();
      await integrate(index + 1n);
      return keys;
    },
  });
  expect(checkpoint!.size).toBe(6n);
});

describe('a process that ends', () => {
  it.each<RotationStep>(['keep', 'list', 'append', 'commit'])(
    'before the step %s leaves the key as it was, and the next rotation goes on',
    async (at) => {
      const { world, rotate, grow, newest } = await start();
      const ended = rotate({
        onStep(step) {
          if (step === at) throw new Error('killed');
        },
      });
      await expect(ended).rejects.toThrow('killed');
      const left = await keyFiles(world);
      expect(left).toEqual(at === 'keep' ? ['key'] : ['key', 'key-2']);
      expect(await listKeys(world.pool, world.tenant)).toMatchObject([{ until: null }]);
      // Nothing signs otherwise, a start is not refused, and the checker finds nothing wrong.
      expect(await grow(1)).toBe(6n);
      const { publicKey } = (await listKeys(world.pool, world.tenant))[0]!;
      const pending = (await world.directory.readKeys(world.tenant)).at(-1)!;
      const [own, next] = [verifierOf(world, { publicKey }), verifierOf(world, pending)];
      expect(signersOf(await newest(), [...new Set([own, next])])).toEqual([own]);
      const { pool, tenant, directory, root } = world;
      await passLedgerFence({ session: pool, tenant, logOrigin: LOG_ORIGIN, directory, anchors: [] });
      expect(await checkDatabase({ pool, ledgerDir: root })).toMatchObject([{ wrong: [] }]);

      const { from, to } = await rotate();
      expect(from).toBe(own);
      if (at !== 'keep') expect(to).toBe(next);
      expect(await keyFiles(world)).toEqual(['key', 'key-2']);
      await grow(1);
      expect(signersOf(await newest(), [from, to])).toEqual([from, to]);
    },
  );

  it('behind the commit has changed it: a keeper that starts then signs with both', async () => {
    const { world, sut, keeper, rotate, newest } = await start();
    await sut.stop();
    const { from, to, index } = await rotate();
    expect(signersOf(await newest(), [from, to])).toEqual([from]);
    keeper();
    await world.untilPublished(index + 1n);
    expect(signersOf(await newest(), [from, to])).toEqual([from, to]);
  });
});

describe('a rotation is refused, and changes nothing,', () => {
  type Started = Awaited<ReturnType<typeof start>>;
  it.each<[string, (started: Started) => Promise<Partial<RotateLogKeyOptions>>, string]>([
    ['while the former key signs too', async ({ rotate }) => rotate().then(() => ({})), 'give the new key'],
    ['with a text that is no key', async () => ({ pem: 'nonsense' }), 'not a PEM private key'],
    [
      'with a key that was one before',
      async ({ rotate }) => {
        const pem = makeLogKey();
        await rotate({ pem });
        return { pem };
      },
      'is or was a key of this ledger',
    ],
    [
      'with a key beside another one that waits',
      async ({ world }) => {
        await world.directory.addKey(world.tenant);
        return { pem: makeLogKey() };
      },
      'holds another key that signs nothing yet',
    ],
    [
      'for a ledger that has no key',
      async () => ({ tenant: '0192f0c1-7d3e-7a10-9c55-3f1f2b8f4b02' }),
      'has no key yet',
    ],
  ])('%s', async (_case, prepare, detail) => {
    const started = await start();
    const { world, rotate } = started;
    const over = await prepare(started);
    const state = async () => [
      await keyFiles(world),
      await world.query('SELECT * FROM ledger_key ORDER BY since'),
      await world.query('SELECT next_ix FROM ledger_head'),
    ];
    const before = await state();
    await expect(rotate(over)).rejects.toMatchObject({
      code: 'invalid-request',
      detail: expect.stringContaining(detail),
    });
    expect(await state()).toEqual(before);
  });

  it('without the key that signs now', async () => {
    const { world, sut, rotate } = await start();
    await sut.stop();
    await rm(join(world.root, world.tenant, 'key'));
    await expect(rotate()).rejects.toMatchObject({ code: 'log-key-missing' });
    expect(await keyFiles(world)).toEqual([]);
  });

  it('on an old backup', async () => {
    const { world, sut, rotate } = await start();
    await sut.stop();
    await world.query("UPDATE tree_head SET size = 1, root = decode(repeat('00', 32), 'hex')");
    await expect(rotate()).rejects.toMatchObject({ code: 'ledger-behind' });
    expect(await keyFiles(world)).toEqual(['key']);
  });

  it('if another one at the same time was first', async () => {
    const { world, rotate } = await start();
    const results = await Promise.allSettled([rotate(), rotate(), rotate()]);
    const outcomes = results.map((result) =>
      result.status === 'fulfilled' ? 'changed' : (result.reason as { code?: unknown }).code,
    );
    expect(outcomes.sort()).toEqual(['changed', 'invalid-request', 'invalid-request']);
    expect(await keyFiles(world)).toEqual(['key', 'key-2']);
  });
});

describe('while both keys sign', () => {
  it('nothing is signed without one of them; later the former may go', async () => {
    const { world, clock, sut, rotate, grow, newest } = await start();
    const { from, to, until } = await rotate();
    await grow(1);
    const [file, aside] = ['key', 'aside'].map((name) => join(world.root, world.tenant, name)) as [string, string];
    await rename(file, aside);
    const before = await world.publishedSize();
    await world.append(1);
    while (sut.problem() === undefined) await delay(5);
    expect(sut.problem()).toMatchObject({ code: 'log-key-missing', detail: expect.stringContaining('LEDGER_DIR') });
    expect(await world.publishedSize()).toBe(before);
    await rename(aside, file);
    await grow(1);
    expect(signersOf(await newest(), [from, to])).toEqual([from, to]);
    clock.ms = until * 1000;
    await rm(file);
    await grow(1);
    expect(signersOf(await newest(), [from, to])).toEqual([to]);
  });

  it('a witness that knows either key cosigns; later it must know the new one', async () => {
    const { world, clock, rotate, grow } = await start();
    const { from, to, until } = await rotate();
    let known = [from];
    const server = await startWitness('w.example/1', async () => known.map(vkey));
    cleanups.push(() => server.stop());
    const { pool, tenant } = world;
    const witnesses = createLedgerWitnesses({
      pool,
      witnesses: [server.witness],
      log: testLog(),
      metrics: createMetrics({}),
      askEveryMs: 10,
    });
    cleanups.push(() => witnesses.stop());
    witnesses.start();
    const untilWitnessed = async (size: bigint): Promise<string> => {
      for (;;) {
        const witnessed = (await readPublished(pool, tenant))?.witnessed;
        if (witnessed?.size === size) return witnessed.note;
        await delay(5);
      }
    };
    const witness = formatVerifierKey(server.witness.key);
    const signedByOld = await untilWitnessed(await grow(1));
    expect(signersOf(signedByOld, [from, to, witness])).toEqual([from, to, witness]);
    clock.ms = until * 1000;
    const size = await grow(1);
    while (server.statuses.at(-1) !== 403) await delay(5);
    expect((await readPublished(pool, tenant))!.witnessed!.size).toBeLessThan(size);
    known = [to];
    expect(signersOf(await untilWitnessed(size), [from, to, witness])).toEqual([to, witness]);
  });
});

describe('the checker', () => {
  it('takes a served checkpoint with either key, and later with the new one alone', async () => {
    const { world, clock, rotate, grow } = await start();
    const { from, to, until } = await rotate();
    await grow(1);
    const { url, stop } = await serveLedger(world);
    cleanups.push(stop);
    const problem = async (key?: string) =>
      (await checkServed({ url, key: key === undefined ? undefined : vkey(key) })).wrong?.problem;
    const unknown = verifierOf(world, readLogKey(makeLogKey()));
    const problems = async () => Promise.all([undefined, from, to, unknown].map(problem));
    expect(await problems()).toEqual([undefined, undefined, undefined, 'is not signed by the key']);
    clock.ms = until * 1000;
    await grow(1);
    expect(await problems()).toEqual([undefined, 'is not signed by the key', undefined, 'is not signed by the key']);
  });

  it('of the database names a key that no entry tells, one that is gone, and nothing else', async () => {
    const { world, clock, sut, rotate, grow } = await start();
    const { until } = await rotate();
    clock.ms = until * 1000;
    await grow(1);
    await sut.stop();
    const { pool, root, query } = world;
    const wrong = async () => (await checkDatabase({ pool, ledgerDir: root }))[0]!.wrong;
    expect(await wrong()).toEqual([]);
    await query('CREATE TABLE kept_key AS TABLE ledger_key');
    const stranger = readLogKey(makeLogKey()).publicKey;
    await query('INSERT INTO ledger_key (tenant, public_key) VALUES ($1, $2)', [world.tenant, stranger]);
    expect(await wrong()).toMatchObject([{ place: 'ledger_key', problem: 'lists 3 keys, and entries tell 1 changes' }]);
    await query('DELETE FROM ledger_key WHERE public_key = $1', [stranger]);
    await query('DELETE FROM ledger_key WHERE until IS NULL');
    expect(await wrong()).toMatchObject([{ place: 'ledger_key', problem: expect.stringContaining('does not list') }]);
    // Its file is not needed to miss it.
    await rm(join(root, world.tenant, 'key-2'));
    expect((await wrong()).map(({ place }) => place)).toContain('ledger_key');
  });

  it('of a start takes no note of another key, and notices an old backup of the time before the change', async () => {
    const { world, clock, sut, rotate, grow } = await start(300);
    const { pool, tenant, directory, query } = world;
    await sut.stop();
    const tables = [
      'entry',
      'payload',
      'dedupe',
      'ledger_head',
      'tree_head',
      'tree_tile',
      'ledger_checkpoint',
      'ledger_key',
    ];
    for (const table of tables) await query(`CREATE TABLE kept_${table} AS TABLE ${table}`);
    const again = world.keeper({ now: () => clock.ms });
    const { until } = await rotate();
    clock.ms = until * 1000;
    // So many that no checkpoint of both keys is kept.
    for (let nth = 0; nth < 12; nth += 1) await grow(1);
    await again.stop();
    const fence = (notes: readonly string[] = []) =>
      passLedgerFence({
        session: pool,
        tenant,
        logOrigin: LOG_ORIGIN,
        directory,
        anchors: [{ name: 'other', notes: async () => notes, keep: async () => undefined }],
      });
    const origin = originOf(LOG_ORIGIN, tenant, 1);
    const text = `${origin}\n9999\n${Buffer.alloc(32).toString('base64')}\n`;
    const { name, keyId, signature } = readLogKey(makeLogKey()).sign(origin, text);
    const line = `— ${name} ${Buffer.concat([Buffer.from(keyId, 'hex'), signature]).toString('base64')}\n`;
    await expect(fence([`${text}\n${line}`])).resolves.toBeUndefined();
    for (const table of tables) {
      await query(`DELETE FROM ${table}`);
      await query(`INSERT INTO ${table} TABLE kept_${table}`);
    }
    expect(await listKeys(pool, tenant)).toHaveLength(1);
    await expect(fence()).rejects.toMatchObject({ code: 'ledger-behind' });
  });
});
