import type { EventDataOf, Producer } from '../emit/index.js';
import { checkLimits, digestOf } from '../emit/index.js';
import type { TokenClaims } from './answer.js';

/** Operation of a call: `read`, `write`, `delete`, `export` or `admin`. */
export type Operation = EventDataOf['access.allowed']['operation'];

/** One call that came with a token. */
export interface UsageReport {
  /** The text of the token; only its identity is sent to Rescind. */
  readonly token: string;
  /** Undefined if the token was not active. */
  readonly claims: TokenClaims | undefined;
  readonly outcome: 'allowed' | 'denied';
  readonly operation: Operation;
  /** Template of the route, or name of the tool. */
  readonly route?: string;
  /** The scope that the call used. */
  readonly scope?: string;
  /** HTTP status of the response. */
  readonly status?: number;
  /** Records of the application that the response has or the call changed. */
  readonly records?: number;
  /** Bytes of the response. */
  readonly bytes?: number;
  /** Address of the client; summaries leave it out. */
  readonly clientAddress?: string;
  /** Error code of a refusal, such as `insufficient_scope`. */
  readonly error?: string;
}

/** Options of `createUsage`. */
export interface UsageOptions {
  /** A producer of `@rescind/emit`. Its creator closes it. */
  readonly producer: Pick<Producer, 'emit'>;
  /** `summary` (default): one `access.summary` a window for each token, route, operation, outcome and status. `each`: one event a call. */
  readonly report?: 'summary' | 'each';
  /** Milliseconds of a window. Default 60,000. */
  readonly windowMs?: number;
  /**
   * Rows of a window; at most half of them for tokens that were not active, which anybody can make up. Further calls are lost and counted.
   * Default 10,000.
   */
  readonly maxRows?: number;
  /** This resource's identifiers, stated in every event. */
  readonly resource?: readonly string[];
  /** Returns epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** Reports to Rescind what tokens were used for. No call waits for it. */
export interface Usage {
  /** Takes one report. Never throws and never waits. */
  report(report: UsageReport): void;
  /** Emits the rows of the current window. */
  flush(): void;
  /** Emits the rows of the current window. Later reports count as lost. */
  stop(): void;
  readonly stats: { readonly reported: number; readonly lost: number };
}

export const DEFAULT_WINDOW_MS = 60_000;
export const DEFAULT_MAX_ROWS = 10_000;
/** Events that are built before other work gets its turn. */
const EVENTS_A_TURN = 100;

interface Row {
  readonly report: UsageReport;
  count: number;
  records: number;
  bytes: number;
  readonly from: number;
  to: number;
}

/** Creates the reporting of token use. Throws `TypeError` unless `windowMs` and `maxRows` are whole numbers above 0. */
export function createUsage(options: UsageOptions): Usage {
  const {
    producer,
    report: kind = 'summary',
    windowMs = DEFAULT_WINDOW_MS,
    maxRows = DEFAULT_MAX_ROWS,
    resource,
    now = Date.now,
  } = options;
  checkLimits({ windowMs, maxRows });
  let rows = new Map<string, Row>();
  let unknown = 0;
  let isStopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stats = { reported: 0, lost: 0 };

  function emit(send: () => unknown, calls: number): void {
    try {
      send();
      stats.reported += calls;
    } catch {
      // The producer is full or closed, or a value fits no event. Usage is evidence, and no reason to fail a call.
      stats.lost += calls;
    }
  }

  const members = ({ token, claims, operation, route, scope, status, clientAddress }: UsageReport) => ({
    token: identityOf(token, claims),
    operation,
    ...(route === undefined ? {} : { route }),
    ...(resource === undefined ? {} : { resource: [...resource] }),
    ...(scope === undefined ? {} : { scope }),
    ...(status === undefined ? {} : { status }),
    ...(clientAddress === undefined ? {} : { client_address: clientAddress }),
  });

  function emitOne(one: UsageReport): void {
    const { records, bytes, error } = one;
    const data = {
      ...members(one),
      ...(records === undefined ? {} : { records }),
      ...(bytes === undefined ? {} : { bytes }),
    };
    if (one.outcome === 'allowed') emit(() => producer.emit('access.allowed', data), 1);
    else emit(() => producer.emit('access.denied', error === undefined ? data : { ...data, error }), 1);
  }

  function add(one: UsageReport): void {
    const key = JSON.stringify([one.outcome, one.operation, one.status, one.route, one.token]);
    const second = Math.floor(now() / 1000);
    let row = rows.get(key);
    if (row === undefined) {
      const isUnknown = one.claims === undefined;
      if (rows.size >= maxRows || (isUnknown && unknown >= maxRows / 2)) {
        stats.lost++;
        return;
      }
      if (isUnknown) unknown++;
      row = { report: one, count: 0, records: 0, bytes: 0, from: second, to: second };
      rows.set(key, row);
      timer ??= setTimeout(flush, windowMs);
    }
    row.count++;
    row.records += one.records ?? 0;
    row.bytes += one.bytes ?? 0;
    row.to = Math.max(row.to, second);
  }

  function emitRow({ report, count, records, bytes, from, to }: Row): void {
    // One address does not stand for many calls.
    const { client_address: _, ...shared } = members(report);
    emit(
      () => producer.emit('access.summary', { ...shared, outcome: report.outcome, count, records, bytes, from, to }),
      count,
    );
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const full = [...rows.values()];
    rows = new Map();
    unknown = 0;
    const next = (at: number): void => {
      for (const row of full.slice(at, at + EVENTS_A_TURN)) emitRow(row);
      if (at + EVENTS_A_TURN >= full.length) return;
      if (isStopped) next(at + EVENTS_A_TURN);
      else setImmediate(next, at + EVENTS_A_TURN);
    };
    next(0);
  }

  return {
    report(one) {
      if (isStopped) stats.lost++;
      else if (kind === 'each') emitOne(one);
      else add(one);
    },
    flush,
    stop() {
      isStopped = true;
      flush();
    },
    stats,
  };
}

/**
 * Names a token: an active JWT by its claims, an opaque token by its digest, any other JWT by the digest of its signing input, because
 * anybody can make up its claims and its text has many spellings.
 */
function identityOf(token: string, claims: TokenClaims | undefined): EventDataOf['access.allowed']['token'] {
  const parts = token.split('.');
  if (parts.length !== 3) return { sha256: digestOf(token) };
  if (claims?.iss !== undefined && claims.jti !== undefined) return { iss: claims.iss, jti: claims.jti };
  return { signing_input_sha256: digestOf(`${parts[0]}.${parts[1]}`) };
}

/** Derives the operation from the method, if the application does not name one. */
export function operationOf(method: string | undefined): Operation {
  if (method === 'DELETE') return 'delete';
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 'read' : 'write';
}
