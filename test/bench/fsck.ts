import { spawn } from 'node:child_process';
import { generateKeyPairSync, hash, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkServed } from '../../src/fsck/index.js';
import { createGrownTiles, type GrownTile } from '../../src/fsck/grown-tiles.js';
import {
  encodeBundle,
  encodeEntry,
  formatCheckpoint,
  formatNote,
  formatVerifierKey,
  HASH_BYTES,
  leafHash,
  TILE_WIDTH,
  tilePath,
  verifierKey,
} from '../../src/merkle/index.js';
import { median, type Row } from './report.js';

const ENTRIES = Number(process.env['BENCH_ENTRIES'] ?? 500_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const ORIGIN = 'log.bench.example/audit/1';
const RAW_KEY_BYTES = 32;

/** A server of static files, in a process of its own: it prints its port. */
const SERVER = `
const { createServer } = require('node:http');
const { readFile } = require('node:fs');
const server = createServer((request, response) => readFile(process.argv[1] + request.url, (error, body) => {
  if (error) response.writeHead(404).end();
  else response.writeHead(200, { 'content-length': body.length }).end(body);
}));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

/** Checks a log of static files with `rescind fsck`'s own walk; beside it, bare SHA-256 over the same bytes. */
export async function run(): Promise<readonly Row[]> {
  const root = await mkdtemp(join(tmpdir(), 'rescind-bench-fsck-'));
  const { inputs } = await writeLog(root);
  const server = spawn(process.execPath, ['-e', SERVER, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [port] = (await once(server.stdout, 'data')) as [Buffer];
    const rates: number[] = [];
    const floors: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      floors.push(rateOf(() => hashAll(inputs)));
      const startedAt = performance.now();
      const report = await checkServed({ url: `http://127.0.0.1:${Number(String(port))}/` });
      rates.push((ENTRIES / (performance.now() - startedAt)) * 1_000);
      if (report.wrong || report.entries !== BigInt(ENTRIES)) throw new Error(`fsck: ${JSON.stringify(report.wrong)}`);
    }
    const [value, floor] = [median(rates), median(floors)];
    const note = `${ENTRIES} entries as static files, served by another process; floor: bare SHA-256 over the bytes of leaves and inner nodes`;
    return [{ name: 'fsck', value, unit: 'entries/s', floor, ratio: value / floor, note }];
  } finally {
    server.kill();
    await rm(root, { recursive: true, force: true });
  }
}

/** Writes the files of a log. Returns an input of each hash of a leaf. */
async function writeLog(root: string): Promise<{ readonly inputs: readonly Buffer[] }> {
  const grown = createGrownTiles();
  const inputs: Buffer[] = [];
  const commitment = randomBytes(HASH_BYTES);
  const writeTile = ({ level, n, hashes }: GrownTile): Promise<void> =>
    put(root, tilePath({ level, n, width: hashes.length / HASH_BYTES }), hashes);
  for (let from = 0; from < ENTRIES; from += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, ENTRIES - from);
    const entries = Array.from({ length: width }, (_, nth) =>
      encodeEntry({
        index: BigInt(from + nth),
        arrivalMs: BigInt(1_790_000_000_000 + from + nth),
        type: 'dev.rescind.access.allowed.v1',
        source: '0192f0c1-7d3e-7a10-9c55-3f1f2b8f4b01',
        commitment,
      }),
    );
    for (const entry of entries) {
      grown.append(leafHash(entry));
      inputs.push(Buffer.concat([Buffer.of(0), entry]));
    }
    await put(root, tilePath({ level: 'entries', n: BigInt(from / TILE_WIDTH), width }), encodeBundle(entries));
    for (const tile of grown.takeFull()) await writeTile(tile);
  }
  for (const tile of grown.partial()) await writeTile(tile);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-RAW_KEY_BYTES);
  const key = verifierKey(ORIGIN, 'ed25519', raw);
  const text = formatCheckpoint({ origin: ORIGIN, size: BigInt(ENTRIES), root: grown.root() });
  const signature = sign(null, Buffer.from(text), privateKey);
  await put(root, 'checkpoint', formatNote({ text, signatures: [{ name: ORIGIN, keyId: key.id, signature }] }));
  await put(root, 'keys', `${formatVerifierKey(key)}\n`);
  return { inputs };
}

async function put(root: string, path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

const NODE_INPUT = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** A tree has as many inner nodes as leaves, but one. */
function hashAll(inputs: readonly Buffer[]): void {
  for (const input of inputs) {
    hash('sha256', input, 'buffer');
    hash('sha256', NODE_INPUT, 'buffer');
  }
}

function rateOf(work: () => void): number {
  const startedAt = performance.now();
  work();
  return (ENTRIES / (performance.now() - startedAt)) * 1_000;
}
