import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  cosignedMessage,
  decodeBase64,
  encodeCosignature,
  findSigners,
  formatSignature,
  parseCheckpoint,
  parseNote,
  verifierKey,
  verifyConsistency,
  type TreeHead,
  type VerifierKey,
} from '../../../src/merkle/index.js';
import type { Witness } from '../../../src/log/index.js';

/** How a witness misbehaves, if it does. */
export type Behaviour = 'honest' | 'hangs' | 'lies' | 'endless' | 'fails' | 'wants-more' | 'redirects';

export interface WitnessServer {
  readonly witness: Witness;
  behaviour: Behaviour;
  /** Largest tree that it has seen of each origin. */
  readonly seen: Map<string, TreeHead>;
  readonly statuses: number[];
  stop(): Promise<void>;
}

const TIME = 1_790_000_000n;

/** A witness after C2SP tlog-witness: it checks the log's signature and the proof, and stores before it answers. */
export async function startWitness(
  name: string,
  logKeys: () => Promise<readonly VerifierKey[]>,
): Promise<WitnessServer> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const raw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  const key = verifierKey(name, 'cosignature', raw);
  const seen = new Map<string, TreeHead>();

  async function judge(body: string): Promise<readonly [status: number, body: string]> {
    const end = body.indexOf('\n\n');
    const [first = '', ...hashes] = body.slice(0, end).split('\n');
    const note = parseNote(body.slice(end + 2))!;
    const checkpoint = parseCheckpoint(note.text)!;
    if (!findSigners(note, await logKeys())?.size) return [403, ''];
    const old = BigInt(first.replace('old ', ''));
    if (old > checkpoint.size) return [400, ''];
    const known = seen.get(checkpoint.origin);
    if (old !== (known?.size ?? 0n)) return [409, `${known?.size ?? 0n}\n`];
    if (
      known &&
      !verifyConsistency(
        known,
        checkpoint,
        hashes.map((hash) => decodeBase64(hash)!),
      )
    )
      return [422, ''];
    seen.set(checkpoint.origin, checkpoint);
    const signed = sut.behaviour === 'lies' ? note.text.replace(/\n[0-9]+\n/, '\n1\n') : note.text;
    const signature = sign(null, cosignedMessage(signed, TIME), privateKey);
    return [200, formatSignature({ name: key.name, keyId: key.id, signature: encodeCosignature(TIME, signature) })];
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (sut.behaviour === 'hangs') return;
    if (sut.behaviour === 'redirects') return void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end();
    if (sut.behaviour === 'endless') {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(16_384)), 5);
      response.once('close', () => clearInterval(timer));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [status, body] =
      sut.behaviour === 'fails'
        ? [500, '']
        : sut.behaviour === 'wants-more'
          ? [409, '99999999\n']
          : await judge(Buffer.concat(chunks).toString());
    sut.statuses.push(status);
    response.writeHead(status).end(body);
  }

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sut: WitnessServer = {
    witness: { key, url: `http://127.0.0.1:${port}` },
    behaviour: 'honest',
    seen,
    statuses: [],
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return sut;
}
