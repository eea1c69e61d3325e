import type { IncomingMessage, ServerResponse } from 'node:http';
import { JSON_MEDIA_TYPE, RescindError } from '../contracts/index.js';
import type { Caller, GrantAnswer, Guards, Seq } from '../control/index.js';
import { parseStrictJson, readBody, type HotHandler } from '../platform/http/index.js';
import { type Log } from '../platform/log/index.js';
import { type Metrics } from '../platform/observe/index.js';
import { missingRole, type Authenticator } from '../registry/index.js';
import {
  RETRY_AFTER_S,
  sendInvalid,
  sendJson,
  sendRefusal,
  sendUnauthenticated,
  sendUnavailable,
  type RemoteAddress,
} from './answers.js';
import { LATE_AFTER_MS, type GrantsBook } from './grants-book.js';
import { ID_128, parseSeq } from './interest.js';
import type { RecentRecords } from './recent.js';
import type { Held } from './watch/guard-reports.js';

/** Bytes of a request. A longer one is answered 413. */
const MAX_BODY_BYTES = 4 * 1024;

export interface LeaseEndpointOptions {
  readonly guards: Pick<Guards, 'grant' | 'release'>;
  readonly authenticate: Authenticator;
  readonly recent: Pick<RecentRecords, 'appliedAt' | 'head' | 'lastOf'>;
  readonly book: GrantsBook;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly remoteAddress: RemoteAddress;
  /** Takes each grant, for people who watch a rule come into force. */
  readonly onGranted?: ((held: Held) => void) | undefined;
  /** Clock in milliseconds that never goes back. */
  readonly monotonic: () => number;
}

type Outcome =
  | 'granted'
  | 'released'
  | 'behind'
  | 'slow'
  | 'no-lease'
  | 'leaving'
  | 'full'
  | 'unauthenticated'
  | 'no-role'
  | 'invalid-request';

interface Asked {
  readonly id: string;
  readonly held: bigint;
  readonly release: boolean;
}

/** Serves `POST /feed/lease`: the right of one guard to answer on this node's word, for as long as the node's own lease lasts. */
export function createLeaseEndpoint(options: LeaseEndpointOptions): HotHandler {
  const { guards, authenticate, recent, book, metrics, log, remoteAddress, onGranted, monotonic } = options;
  const leases = metrics.counter('rescind_feed_leases_total', 'Calls of /feed/lease, by how they ended', ['outcome']);
  metrics.gauge('rescind_guards', "Guards that may answer on this node's word.", [], () => book.running(monotonic()));

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<Outcome> {
    const body = await readJson(req);
    const { caller, refusal } = authenticate({
      authorization: req.headers.authorization,
      remoteAddress: remoteAddress(req),
    });
    if (refusal) return said('unauthenticated', sendUnauthenticated(res, refusal));
    if (!caller.roles.guard) return said('no-role', sendRefusal(res, missingRole('guard')));
    if (body === undefined)
      return said(
        'invalid-request',
        sendInvalid(res, `the body is over ${MAX_BODY_BYTES} bytes`, 413, { connection: 'close' }),
      );
    const asked = readAsked(body);
    if (typeof asked === 'string') return said('invalid-request', sendInvalid(res, asked));
    return asked.release ? release(res, caller.id, asked) : grant(res, caller, asked);
  }

  /** Grants or refuses, in one synchronous step. */
  function grant(res: ServerResponse, { id: caller, tenant }: Caller, { id, held }: Asked): Outcome {
    const now = monotonic();
    // Records of other tenants mean nothing to this guard, so the guard need not have heard of them.
    const applied = held >= recent.lastOf(tenant) && held < recent.head ? recent.head : (held as Seq);
    const next = recent.appliedAt((applied + 1n) as Seq);
    const verdict = book.judge({ caller, tenant }, id, next !== undefined && now - next > LATE_AFTER_MS, now);
    if (!verdict.may)
      return verdict.error === 'slow' ? refuseSlow(res, caller, verdict.retryAfterMs) : refuse(res, verdict.error);
    const answered: GrantAnswer = guards.grant(nameOf(caller, id), applied, tenant);
    if ('refusal' in answered) return refuse(res, answered.refusal);
    book.granted({ caller, tenant }, id, now + answered.grantMs);
    onGranted?.({ tenant, caller, guard: id, held: applied });
    return said('granted', sendJson(res, 200, { grant_ms: Math.floor(answered.grantMs), now: Date.now() }));
  }

  function release(res: ServerResponse, caller: string, { id }: Asked): Outcome {
    guards.release(nameOf(caller, id));
    book.released(caller, id);
    return said('released', sendJson(res, 200, {}));
  }

  function refuse(res: ServerResponse, error: 'behind' | 'no-lease' | 'leaving' | 'full'): Outcome {
    return said(error, error === 'behind' ? sendJson(res, 409, { error }) : sendUnavailable(res, error));
  }

  function refuseSlow(res: ServerResponse, caller: string, retryAfterMs: number): Outcome {
    log.warn({ caller }, 'a guard applies its feed too slowly and gets no grant for a while');
    return said(
      'slow',
      sendJson(res, 429, { error: 'slow' }, { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
    );
  }

  return (req, res) => {
    if (req.method !== 'POST') return sendInvalid(res, 'use POST', 405, { allow: 'POST' });
    answer(req, res).then(
      (outcome) => leases.inc({ outcome }),
      (error: unknown) => {
        log.error({ err: error }, 'cannot grant a lease to a guard; answering 503');
        if (!res.headersSent) sendJson(res, 503, { error: 'no-lease' }, { 'retry-after': String(RETRY_AFTER_S) });
      },
    );
  };
}

/** Names a guard by its caller and id, because two callers may choose the same id. */
const nameOf = (caller: string, id: string): string => `${caller}/${id}`;

const said = (outcome: Outcome, _sent: void): Outcome => outcome;

/** Reads a JSON body. `null`: not JSON. Undefined: too long. */
async function readJson(req: IncomingMessage): Promise<unknown> {
  const bytes = await readBody(req, MAX_BODY_BYTES);
  if (bytes === undefined) return undefined;
  const mediaType = (req.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (mediaType !== JSON_MEDIA_TYPE || req.headers['content-encoding'] !== undefined) return null;
  try {
    return parseStrictJson(bytes);
  } catch (error) {
    if (error instanceof RescindError) return null;
    throw error;
  }
}

/** Reads the request, or returns what is wrong with it, for people. */
function readAsked(body: unknown): Asked | string {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return `the body must be a JSON object, declared as ${JSON_MEDIA_TYPE}`;
  const { id, held, release = false } = body as Record<string, unknown>;
  if (typeof id !== 'string' || !ID_128.test(id)) return 'id must be 128 bits in base64url';
  if (typeof release !== 'boolean') return 'release must be true or false';
  const seq = parseSeq(held);
  return seq === undefined ? 'held must be a decimal position, as a string' : { id, held: seq, release };
}
