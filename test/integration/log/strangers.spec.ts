import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { checkDatabase, checkServed } from '../../../src/fsck/index.js';
import { listKeys, originOf, readPublished } from '../../../src/log/index.js';
import { formatVerifierKey, verifierKey } from '../../../src/merkle/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { findTool } from '../../support/tools.js';
import { serveLedger, startProxy, type Change, type Served } from './fsck-world.js';
import { createLedgerWorld, LOG_ORIGIN, type LedgerWorld } from './ledger-fixture.js';

const execute = promisify(execFile);
const START_TIMEOUT_MS = 180_000;

/** More than a tile of level 1 covers, 65,536. */
const EARLIER = 70_000n;
const ENTRIES = 100_123n;
const BATCH = 5_000;

const go = findTool('go');
/** Debian's sources of Go libraries, beside the programs. */
const sources = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((directory) => join(directory, '..', 'share', 'gocode'))
  .find((directory) => existsSync(join(directory, 'src', 'golang.org', 'x', 'mod', 'sumdb')));
if (sources === undefined && process.env['CI'] !== undefined)
  throw new Error('golang.org/x/mod is missing: .ci/run installs it');

const cleanups = cleanUp(afterAll);
let world: LedgerWorld;
let served: Served;
let proxy: Served & { change: Change };
let key: string;
let earlier: string;

beforeAll(async () => {
  world = await createLedgerWorld();
  cleanups.push(() => world.stop());
  const { pool, tenant } = world;
  const keeper = world.keeper();
  const grow = async (to: bigint): Promise<void> => {
    for (let size = await world.publishedSize(); size < to; size = await world.publishedSize()) {
      const next = to - size < BATCH ? Number(to - size) : BATCH;
      await world.append(next);
      await world.untilPublished(size + BigInt(next));
    }
  };
  await grow(EARLIER);
  earlier = (await readPublished(pool, tenant))!.note;
  await grow(ENTRIES);
  await keeper.stop();
  const { publicKey } = (await listKeys(pool, tenant))[0]!;
  key = formatVerifierKey(verifierKey(originOf(LOG_ORIGIN, tenant, 1), 'ed25519', publicKey));
  served = await serveLedger(world);
  cleanups.push(() => served.stop());
  proxy = await startProxy(served.url);
  cleanups.push(() => proxy.stop());
}, START_TIMEOUT_MS);
afterEach(() => {
  proxy.change = () => undefined;
});

/** Flips a bit of the part at a path. */
const flipped =
  (changed: string): Change =>
  (path, body) => {
    if (path !== changed) return undefined;
    const copy = Buffer.from(body);
    copy[40 % copy.length]! ^= 1;
    return copy;
  };

(go === undefined || sources === undefined ? describe.skip : describe)('a ledger of 100,000 entries', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-walk-`));
    cleanups.push(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, 'earlier'), earlier);
    await execute(go!, ['build', '-o', join(directory, 'walk-ledger'), resolve('test/support/walk-ledger.go')], {
      env: {
        ...process.env,
        GO111MODULE: 'off',
        GOPATH: sources!,
        GOCACHE: resolve('node_modules/.cache/go'),
        CGO_ENABLED: '0',
      },
    });
  }, START_TIMEOUT_MS);

  const walk = () =>
    execute(join(directory, 'walk-ledger'), [proxy.url, key, join(directory, 'earlier')]).then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => `failed: ${stdout}`,
    );

  it('is walked by a checker that others wrote, with plain HTTP and the public key', async () => {
    expect(await walk()).toBe(`${ENTRIES} entries\ncontinues ${EARLIER} entries\n`);
  });

  it.each([
    ['tile/entries/200', 'tile/0/200: is not what the entries give'],
    ['tile/0/200', 'tile/0/200: is not what the entries give'],
    ['tile/1/000', 'tile/1/000: is not what the entries give'],
    ['tile/2/000.p/1', 'tile/2/000.p/1: is not what the entries give'],
    ['checkpoint', 'checkpoint: '],
  ])('with a flipped bit in %s is refused by it: %s', async (changed, place) => {
    proxy.change = flipped(changed);
    expect(await walk()).toEqual(expect.stringContaining(`failed: ${place}`));
  });
});

describe('a tree of three levels', () => {
  it('is as it must be, served and stored', async () => {
    expect(await checkServed({ url: proxy.url })).toMatchObject({ entries: ENTRIES, wrong: undefined });
    expect(await checkDatabase({ pool: world.pool, ledgerDir: world.root })).toMatchObject([{ tiles: 392, wrong: [] }]);
  });

  it('has full tiles above the lowest level, and a flipped bit in one of them is named', async () => {
    const flip = () =>
      world.query('UPDATE tree_tile SET hash = set_bit(hash, 11, 1 - get_bit(hash, 11)) WHERE level = 1 RETURNING n');
    expect(await flip()).toEqual([{ n: '0' }]);
    const [report] = await checkDatabase({ pool: world.pool, ledgerDir: world.root });
    expect(report!.wrong).toMatchObject([{ place: 'tree_tile 1/0' }]);
    await flip();
    proxy.change = flipped('tile/1/000');
    expect((await checkServed({ url: proxy.url })).wrong).toMatchObject({ place: 'tile/1/000' });
  });
});
