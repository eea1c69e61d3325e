import type { IncomingMessage, ServerResponse } from 'node:http';
import { MAX_POST_BYTES, RescindError } from '../../contracts/index.js';
import type { Caller } from '../../control/index.js';
import { problemOf } from '../../platform/http/index.js';
import { type Metrics } from '../../platform/observe/index.js';
import type { Authenticator } from '../../registry/index.js';
import { mediaTypeProblem } from '../accept/http-binary.js';

/** Bytes of all bodies that are being read or wait to become durable. With what is made of them, some hundred MB. */
export const MAX_OPEN_BYTES = 64 * 1024 * 1024;
/** Requests of all callers that may be open at once. */
export const MAX_OPEN_REQUESTS = 512;
/** Share of either bound that one caller may take, so that others have room. */
const CALLER_SHARE = 0.5;

export interface DoorBounds {
  readonly bytes: number;
  readonly requests: number;
}

export interface Door {
  /**
   * Runs before `POST /events` reads the body. Authenticates the caller and answers 401, 415 or 429 itself if nothing may be read. Counts
   * every answer by status.
   */
  readonly enter: (req: IncomingMessage & { readonly ip?: string }, res: ServerResponse, next: () => void) => void;
  /** Returns the caller of a request that was let in. */
  callerOf(req: IncomingMessage): Caller;
}

interface Open {
  bytes: number;
  requests: number;
}

export interface DoorOptions {
  readonly authenticate: Authenticator;
  readonly metrics: Metrics;
  readonly bounds?: DoorBounds;
}

export function createDoor({
  authenticate,
  metrics,
  bounds = { bytes: MAX_OPEN_BYTES, requests: MAX_OPEN_REQUESTS },
}: DoorOptions): Door {
  const answers = metrics.counter(
    'rescind_ingest_http_requests_total',
    'Requests to /events by status; `closed`: the client left first.',
    ['status'],
  );
  const all: Open = { bytes: 0, requests: 0 };
  metrics.gauge(
    'rescind_ingest_http_open_bytes',
    'Bytes of bodies that are being read or wait to be durable.',
    [],
    () => all.bytes,
  );
  metrics.gauge(
    'rescind_ingest_http_open_requests',
    'Requests that are being read or wait to be durable.',
    [],
    () => all.requests,
  );
  const byCaller = new Map<string, Open>();
  const callers = new WeakMap<IncomingMessage, Caller>();

  function hasRoom(taken: Open, bytes: number, share: number): boolean {
    return (
      taken.requests === 0 ||
      (taken.requests + 1 <= bounds.requests * share && taken.bytes + bytes <= bounds.bytes * share)
    );
  }

  function takeRoom(res: ServerResponse, caller: Caller, bytes: number): boolean {
    const own = byCaller.get(caller.id) ?? { bytes: 0, requests: 0 };
    if (!hasRoom(all, bytes, 1) || !hasRoom(own, bytes, CALLER_SHARE)) return false;
    byCaller.set(caller.id, own);
    for (const one of [all, own]) {
      one.bytes += bytes;
      one.requests += 1;
    }
    res.once('close', () => {
      for (const one of [all, own]) {
        one.bytes -= bytes;
        one.requests -= 1;
      }
      if (own.requests === 0) byCaller.delete(caller.id);
    });
    return true;
  }

  return {
    enter(req, res, next) {
      res.once('close', () => answers.inc({ status: res.writableFinished ? String(res.statusCode) : 'closed' }));
      const { caller, refusal } = authenticate({
        authorization: req.headers.authorization,
        remoteAddress: req.ip ?? '',
      });
      if (!caller) {
        const code = refusal.code === 'too-many-requests' ? refusal.code : 'unauthenticated';
        return refuse(res, new RescindError(code, { detail: refusal.detail }));
      }
      callers.set(req, caller);
      const encoding = req.headers['content-encoding'] ?? 'identity';
      if (encoding.toLowerCase() !== 'identity') {
        return refuse(
          res,
          new RescindError('unsupported-media-type', { detail: 'send the body as it is, without a Content-Encoding' }),
        );
      }
      const problem = mediaTypeProblem(req.headers['content-type'], req.headers);
      if (problem !== undefined) return refuse(res, new RescindError('unsupported-media-type', { detail: problem }));
      if (!takeRoom(res, caller, bytesOf(req)))
        return refuse(
          res,
          new RescindError('overloaded', { detail: 'too many events wait to be stored; send the request again later' }),
        );
      next();
    },
    callerOf(req) {
      const caller = callers.get(req);
      if (!caller) throw new TypeError('the request did not come through the door');
      return caller;
    },
  };
}

/** Returns the upper bound of a body's length. A body of unknown length may be the longest. A longer one is refused before it is read. */
function bytesOf({ headers }: IncomingMessage): number {
  const length = Number(headers['content-length'] ?? Number.NaN);
  return Number.isFinite(length)
    ? Math.min(length, MAX_POST_BYTES)
    : headers['transfer-encoding'] === undefined
      ? 0
      : MAX_POST_BYTES;
}

/** Refuses a request. The server reads and drops the body, so that a client that is still sending sees the answer. */
function refuse(res: ServerResponse, error: RescindError): void {
  const { status, headers, body } = problemOf(error);
  res.writeHead(status, headers);
  res.end(JSON.stringify(body));
}
