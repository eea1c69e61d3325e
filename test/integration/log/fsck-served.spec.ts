import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { checkServed, type CheckServedOptions } from '../../../src/fsck/index.js';
import { makeLogKey, readLogKey } from '../../../src/log/publish/log-key.js';
import { originOf } from '../../../src/log/index.js';
import {
  encodeBundle,
  encodeEntry,
  formatCheckpoint,
  formatNote,
  leafHash,
  parseBundle,
  parseEntry,
  parseNote,
  parseVerifierKey,
  verifierKey,
} from '../../../src/merkle/index.js';
import {
  createFsckWorld,
  ENTRIES,
  serveLedger,
  startProxy,
  type Change,
  type FsckWorld,
  type Served,
} from './fsck-world.js';
import { LOG_ORIGIN } from './ledger-fixture.js';

let world: FsckWorld;
let served: Served;
let proxy: Served & { change: Change };
beforeAll(async () => {
  world = await createFsckWorld();
  served = await serveLedger(world);
  proxy = await startProxy(served.url);
});
afterAll(async () => {
  await proxy.stop();
  await served.stop();
  await world.stop();
});
afterEach(() => {
  proxy.change = () => undefined;
});

const check = (over: Partial<CheckServedOptions> = {}) => checkServed({ url: proxy.url, ...over });

/** Changes one path alone. */
const at =
  (changed: string, change: (body: Buffer) => ReturnType<Change>): Change =>
  (path, body) =>
    path === changed ? change(body) : undefined;

function flipped(body: Buffer, byte: number): Buffer {
  const copy = Buffer.from(body);
  copy[byte]! ^= 1;
  return copy;
}

const ownKey = async () => (await world.directory.readKeys(world.tenant))[0]!;
const origin = () => originOf(LOG_ORIGIN, world.tenant, 1);

/** A checkpoint as the log's own key signs it, whatever it says. */
async function signed(size: bigint, root: Buffer, of = origin()): Promise<Buffer> {
  const text = formatCheckpoint({ origin: of, size, root });
  return Buffer.from(formatNote({ text, signatures: [(await ownKey()).sign(of, text)] }));
}

describe('a served log', () => {
  it('that is as it must be is found so', async () => {
    const seen: bigint[] = [];
    const report = await check({ onProgress: ({ done, total }) => void seen.push(done, total) });
    expect(report).toMatchObject({ entries: ENTRIES, tiles: 4, keyFrom: 'log', wrong: undefined });
    expect(report.checkpoint).toMatchObject({ origin: origin(), size: ENTRIES });
    expect(seen.at(-2)).toBe(ENTRIES);
  });

  it('is checked with a given key alone, which the log does not list', async () => {
    const key = verifierKey(origin(), 'ed25519', (await ownKey()).publicKey);
    proxy.change = at('keys', () => ({ status: 404 }));
    expect(await check({ key })).toMatchObject({ keyFrom: 'given', wrong: undefined });
    const other = verifierKey(origin(), 'ed25519', readLogKey(makeLogKey()).publicKey);
    expect((await check({ key: other })).wrong).toMatchObject({
      place: 'checkpoint',
      problem: 'is not signed by the key',
    });
  });

  it('may be empty', async () => {
    const root = Buffer.from('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex');
    const empty = await signed(0n, root);
    proxy.change = at('checkpoint', () => empty);
    expect(await check()).toMatchObject({ entries: 0n, wrong: undefined });
  });

  it('that is busy is asked again', async () => {
    let refused = 0;
    proxy.change = at('tile/entries/001', () => (++refused <= 2 ? { status: 503 } : undefined));
    expect((await check()).wrong).toBeUndefined();
    expect(refused).toBe(3);
  });
});

describe('a flipped byte', () => {
  it.each([
    'tile/entries/000',
    'tile/entries/001',
    'tile/entries/002.p/88',
    'tile/0/000',
    'tile/0/001',
    'tile/0/002.p/88',
    'tile/1/000.p/2',
  ])('in %s is named', async (path) => {
    for (const byte of [0, 1, 20, -1]) {
      proxy.change = at(path, (body) => flipped(body, byte < 0 ? body.length - 1 : byte));
      expect((await check()).wrong?.place).toBe(path);
    }
  });

  it('in each byte of the checkpoint is named', async () => {
    const length = (await (await fetch(`${served.url}checkpoint`)).arrayBuffer()).byteLength;
    const key = verifierKey(origin(), 'ed25519', (await ownKey()).publicKey);
    for (let byte = 0; byte < length; byte += 1) {
      proxy.change = at('checkpoint', (body) => flipped(body, byte));
      expect({ byte, place: (await check({ key })).wrong?.place }).toEqual({ byte, place: 'checkpoint' });
    }
  });

  it('in the keys is named', async () => {
    proxy.change = at('keys', (body) => flipped(body, body.indexOf(' ') - 3));
    expect((await check()).wrong?.place).toBe('keys');
  });
});

describe('a log that lies', () => {
  const entriesOf = (body: Buffer) => parseBundle(body)!;

  it('about an entry, in bundle and tile alike, is found by the tile above', async () => {
    const other = (body: Buffer): Buffer[] => {
      const entries = entriesOf(body);
      const said = parseEntry(entries[9]!)!;
      entries[9] = encodeEntry({ ...said, type: 'dev.rescind.session.begun.v1' });
      return entries;
    };
    let hashes: Buffer | undefined;
    proxy.change = (path, body) => {
      if (path === 'tile/entries/001') return encodeBundle(other(body));
      if (path === 'tile/0/001') return hashes;
      return undefined;
    };
    const bundle = Buffer.from(await (await fetch(`${served.url}tile/entries/001`)).arrayBuffer());
    hashes = Buffer.concat(other(bundle).map((entry) => leafHash(entry)));
    expect((await check()).wrong?.place).toBe('tile/0/001');
  });

  it.each([
    ['drops', (entries: Buffer[]) => entries.toSpliced(7, 1), 'has 255 entries and not 256'],
    ['doubles', (entries: Buffer[]) => entries.toSpliced(7, 0, entries[7]!), 'has 257 entries and not 256'],
    [
      'doubles over another',
      (entries: Buffer[]) => entries.with(8, entries[7]!),
      'the entry at 8 says that it is entry 7',
    ],
    [
      'swaps',
      (entries: Buffer[]) => entries.with(7, entries[8]!).with(8, entries[7]!),
      'the entry at 7 says that it is entry 8',
    ],
    ['invents', (entries: Buffer[]) => entries.with(7, Buffer.from('hello')), 'entry 7 is no entry of a ledger'],
  ])('and %s an entry is named', async (_case, change, problem) => {
    proxy.change = at('tile/entries/000', (body) => encodeBundle(change(entriesOf(body))));
    expect((await check()).wrong).toEqual({ place: 'tile/entries/000', problem });
  });

  it('and signs with another key is named', async () => {
    const { text } = parseNote(await (await fetch(`${served.url}checkpoint`)).text())!;
    const signatures = [readLogKey(makeLogKey()).sign(origin(), text)];
    proxy.change = at('checkpoint', () => Buffer.from(formatNote({ text, signatures })));
    expect((await check()).wrong?.place).toBe('checkpoint');
  });

  it('and signs a root that its entries do not have is named', async () => {
    const checkpoint = await signed(ENTRIES, Buffer.alloc(32, 3));
    proxy.change = at('checkpoint', () => checkpoint);
    expect((await check()).wrong).toEqual({ place: 'checkpoint', problem: 'its root is not that of the 600 entries' });
  });

  it('and shows a checkpoint of another log, by the same key, is named', async () => {
    const checkpoint = await signed(ENTRIES, Buffer.alloc(32, 3), `${LOG_ORIGIN}/other/1`);
    proxy.change = at('checkpoint', () => checkpoint);
    const key = verifierKey(origin(), 'ed25519', (await ownKey()).publicKey);
    expect((await check({ key })).wrong).toMatchObject({
      place: 'checkpoint',
      problem: expect.stringContaining('other/1'),
    });
  });

  it.each([601n, 65_536n, 10n ** 9n, 2n ** 63n - 1n, 10n ** 19n - 1n])(
    'and signs %i entries is stopped at the edge that it lacks',
    async (size) => {
      const checkpoint = await signed(size, Buffer.alloc(32, 3));
      proxy.change = at('checkpoint', () => checkpoint);
      const { wrong, entries } = await check();
      expect(wrong).toMatchObject({ place: expect.stringMatching(/^tile\/\d\//), problem: 'answered with 404' });
      expect(entries).toBe(0n);
    },
  );

  it('and writes a size with too many digits is refused', async () => {
    proxy.change = at('checkpoint', (body) => Buffer.from(body.toString().replace('\n600\n', `\n${'9'.repeat(40)}\n`)));
    expect((await check()).wrong).toEqual({ place: 'checkpoint', problem: 'is no signed checkpoint' });
  });
});

describe('an answer', () => {
  it.each(['tile/entries/001', 'tile/0/001', 'tile/1/000.p/2'])('that is cut off is named: %s', async (path) => {
    proxy.change = at(path, (body) => body.subarray(0, body.length - 5));
    expect((await check()).wrong?.place).toBe(path);
  });

  it('that breaks off in the middle is named', async () => {
    proxy.change = at('tile/0/001', (body) => ({
      body: body.subarray(0, 100),
      headers: { 'content-length': String(body.length), connection: 'close' },
    }));
    expect((await check({ timeoutMs: 1_000 })).wrong?.place).toBe('tile/0/001');
  });

  it.each(['tile/entries/001', 'tile/0/001', 'checkpoint', 'keys'])('that never ends is given up: %s', async (path) => {
    proxy.change = at(path, () => ({ endless: Buffer.alloc(1_000, 97) }));
    expect((await check()).wrong).toMatchObject({ place: path, problem: expect.stringContaining('is longer than') });
  });

  it('that never comes is given up', async () => {
    proxy.change = at('tile/0/002.p/88', () => ({ silent: true }));
    expect((await check({ timeoutMs: 300 })).wrong).toEqual({
      place: 'tile/0/002.p/88',
      problem: 'did not end within 0.3 s',
    });
  });

  it('that leads elsewhere is not followed, and the bearer stays', async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await startProxy(served.url);
    elsewhere.change = (_path, _body, request) => {
      seen.push(request.headers.authorization);
      return undefined;
    };
    try {
      proxy.change = at('tile/0/001', () => ({ status: 302, headers: { location: `${elsewhere.url}tile/0/001` } }));
      expect((await check({ bearer: 'secret' })).wrong?.place).toBe('tile/0/001');
      expect(seen).toEqual([]);
    } finally {
      await elsewhere.stop();
    }
  });

  it('of a log that wants a bearer says so', async () => {
    proxy.change = (path, _body, request) =>
      path.startsWith('tile/') && request.headers.authorization !== 'Bearer right' ? { status: 401 } : undefined;
    expect((await check()).wrong?.problem).toContain('wants a bearer');
    expect((await check({ bearer: 'right' })).wrong).toBeUndefined();
  });
});

it('the keys of the log are verifier keys', async () => {
  const [line] = (await (await fetch(`${served.url}keys`)).text()).split('\n');
  expect(parseVerifierKey(line!.split(' ')[0]!)).toEqual(verifierKey(origin(), 'ed25519', (await ownKey()).publicKey));
});
