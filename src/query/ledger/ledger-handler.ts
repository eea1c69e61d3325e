import type { IncomingMessage, ServerResponse } from 'node:http';
import { createHash } from 'node:crypto';
import { RescindError } from '../../contracts/index.js';
import { createTileReader, listKeys, originOf, readBundle, readPublished, type Published } from '../../log/index.js';
import { parseTilePath, tileWidth, type Tile } from '../../merkle/index.js';
import type { HotHandler } from '../../platform/http/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import type { Identify } from '../../registry/index.js';
import { keyTimes } from './key-times.js';

/** `/ledger/<tenant uuid>/[<incarnation>/]<name>`, in this spelling alone. */
const PATH =
  /^\/ledger\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(?:([1-9][0-9]{0,8})\/)?([a-zA-Z0-9./-]{1,64})$/;
const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';
const IMMUTABLE_SECONDS = 31_536_000;
const CHALLENGE = 'Bearer realm="rescind"';

export interface LedgerHandlerOptions {
  readonly pool: Pool;
  readonly logOrigin: string;
  /** Ids of tenants whose tiles anyone may read. */
  readonly publicLedgers: ReadonlySet<string>;
  readonly identify: Identify;
  readonly remoteAddress: (request: IncomingMessage) => string;
  readonly log: Log;
}

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string | Buffer;
  readonly cache?: string;
  readonly challenge?: string;
  readonly allow?: string;
}

const NOT_FOUND: Answer = { status: 404, body: 'not found\n' };

/**
 * Serves ledgers as C2SP tlog-tiles 0.1.0 below `/ledger/<tenant>/`: `checkpoint`, `checkpoint.witnessed`, `keys` and `tile/…`. With an
 * incarnation behind the tenant, those of an earlier one. Checkpoints and keys are public; tiles need the role `audit` unless the ledger is
 * public. Serves only what the newest published checkpoint covers.
 */
export function createLedgerHandler(options: LedgerHandlerOptions): HotHandler {
  const { pool, logOrigin, publicLedgers, identify, remoteAddress, log } = options;

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return { status: 405, body: 'GET or HEAD\n', allow: 'GET, HEAD' };
    const [, tenant, incarnationText, name] = PATH.exec(request.url!.split('?', 1)[0]!) ?? [];
    if (tenant === undefined || name === undefined) return NOT_FOUND;
    const incarnation = incarnationText === undefined ? undefined : Number(incarnationText);
    const tile = parseTilePath(name);
    if (tile) {
      const refusal = publicLedgers.has(tenant) ? undefined : await refusalOf(request, tenant);
      return refusal ?? answerTile(tenant, tile, await readPublished(pool, tenant, incarnation));
    }
    const published = await readPublished(pool, tenant, incarnation);
    if (published === undefined) return NOT_FOUND;
    if (name === 'keys') return { status: 200, type: TEXT, body: await keysOf(tenant, published), cache: 'no-cache' };
    const note = { checkpoint: published.note, 'checkpoint.witnessed': published.witnessed?.note }[name];
    return note === undefined ? NOT_FOUND : { status: 200, type: TEXT, body: note, cache: 'no-cache' };
  }

  async function refusalOf(request: IncomingMessage, tenant: string): Promise<Answer | undefined> {
    const { caller } = await identify(request, remoteAddress(request));
    if (caller === undefined)
      return { status: 401, body: 'tiles of this ledger need a key with the role audit\n', challenge: CHALLENGE };
    if (caller.roles.audit === undefined) return { status: 403, body: 'the caller needs the role audit\n' };
    return caller.tenant === tenant ? undefined : NOT_FOUND;
  }

  async function answerTile(tenant: string, tile: Tile, published: Published | undefined): Promise<Answer> {
    if (published === undefined || tile.width > tileWidth(tile, published.size)) return NOT_FOUND;
    const body = await (isHashes(tile)
      ? createTileReader(pool, tenant)(tile)
      : readBundle(pool, tenant, { n: tile.n, width: tile.width }));
    const reach = publicLedgers.has(tenant) ? 'public' : 'private';
    const cache = `${reach}, max-age=${IMMUTABLE_SECONDS}, immutable`;
    return { status: 200, type: BYTES, body: Buffer.from(body), cache };
  }

  async function keysOf(tenant: string, { incarnation }: Published): Promise<string> {
    const keys = keyTimes(await listKeys(pool, tenant), originOf(logOrigin, tenant, incarnation));
    return keys.map(({ key, since, until }) => `${key} ${since}${until === null ? '' : ` ${until}`}\n`).join('');
  }

  return (request, response) => {
    answerTo(request).then(
      (answer) => send(request, response, answer),
      (err: unknown) => {
        log.error({ err }, 'cannot serve a part of a ledger');
        const isBroken = err instanceof RescindError && err.code === 'ledger-inconsistent';
        send(request, response, isBroken ? { status: 500, body: 'the ledger is damaged\n' } : { status: 503 });
      },
    );
  };
}

const isHashes = (tile: Tile): tile is Tile & { readonly level: number } => tile.level !== 'entries';

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, type = TEXT, body = '', cache = 'no-store', challenge, allow } = answer;
  const bytes = Buffer.from(body);
  const tag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
  const isKnown = status === 200 && request.headers['if-none-match'] === tag;
  response.writeHead(isKnown ? 304 : status, {
    'cache-control': cache,
    ...(status === 200 ? { etag: tag } : {}),
    ...(allow === undefined ? {} : { allow }),
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    ...(isKnown ? {} : { 'content-type': type, 'content-length': bytes.length }),
  });
  response.end(isKnown || request.method === 'HEAD' ? undefined : bytes);
}
