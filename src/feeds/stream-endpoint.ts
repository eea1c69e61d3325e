import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller, ControlState, Seq, Tenant } from '../control/index.js';
import type { HotHandler } from '../platform/http/index.js';
import type { Metrics } from '../platform/observe/index.js';
import { missingRole, type Authenticator } from '../registry/index.js';
import { sendInvalid, sendRefusal, sendUnauthenticated, sendUnavailable, type RemoteAddress } from './answers.js';
import { frame, STREAM_HEADERS } from './sse/frames.js';
import { MAX_ALSO, ownInterest, parseAlso, parseSeq, type Interest } from './interest.js';
import type { RecentRecords } from './recent.js';
import { MAX_WAITING_BYTES, textFor, type Subscribers } from './subscribers.js';

export interface StreamEndpointOptions {
  readonly state: ControlState;
  readonly authenticate: Authenticator;
  readonly recent: RecentRecords;
  readonly subscribers: Subscribers;
  readonly metrics: Metrics;
  readonly remoteAddress: RemoteAddress;
  readonly isStopping: () => boolean;
  /** Whether a fetched key set lost or changed a key so recently that a guard without a stream may have missed it. */
  readonly haveKeysChanged: () => boolean;
  readonly maxWaitingBytes?: number;
}

/** Why a guard could not continue from the position that it named. */
type ResetReason = 'too-old' | 'ahead' | 'too-much';

/** Serves `GET /feed`: checks the request, sends the stream's start and the missed records, and hands the stream over. */
export function createStreamEndpoint(options: StreamEndpointOptions): HotHandler {
  const {
    state,
    authenticate,
    recent,
    subscribers,
    metrics,
    remoteAddress,
    isStopping,
    haveKeysChanged,
    maxWaitingBytes = MAX_WAITING_BYTES,
  } = options;
  const resets = metrics.counter(
    'rescind_feed_resets_total',
    'Guards that had to forget everything when their stream began, by why',
    ['reason'],
  );

  function answer(req: IncomingMessage, res: ServerResponse): void {
    const credentials = { authorization: req.headers.authorization, remoteAddress: remoteAddress(req) };
    const { caller, refusal } = authenticate(credentials);
    if (refusal) return sendUnauthenticated(res, refusal);
    const tenant = state.tenant(caller.tenant);
    if (!tenant || !caller.roles.guard) return sendRefusal(res, missingRole('guard'));
    const asked = readRequest(req);
    if (typeof asked === 'string') return sendInvalid(res, asked);
    if (isStopping()) return sendUnavailable(res, 'leaving');
    if (!subscribers.hasRoomFor(caller.id, tenant.id)) return sendUnavailable(res, 'full');

    const interest: Interest =
      asked.also === '*' ? '*' : new Set([...ownInterest(tenant, caller.roles.guard), ...asked.also]);
    res.writeHead(200, STREAM_HEADERS);
    const mayRead = (): boolean => {
      const now = authenticate(credentials).caller;
      return now !== undefined && now.id === caller.id && now.tenant === caller.tenant && now.roles.guard !== undefined;
    };
    subscribers.add(
      { res, tenant: tenant.id, caller: caller.id, interest, mayRead },
      openingOf(caller, tenant, interest, asked.after),
    );
  }

  /** Builds the opening in the same synchronous step as the head, so that later records are sent later. */
  function openingOf(
    { id: caller }: Caller,
    { id: tenant }: Tenant,
    interest: Interest,
    after: bigint | undefined,
  ): string {
    const { head } = recent;
    const start = frame('start', after ?? head, {
      seq: String(after ?? head),
      interest: interest === '*' ? '*' : [...interest],
    });
    if (after === undefined) return start;
    const missed = recent.since(after as Seq);
    if (!missed) return start + reset(after > head ? 'ahead' : 'too-old', head);
    const text = after === head ? '' : textFor({ tenant, caller, interest }, missed, head);
    // A guard that could not read as fast as records came would never catch up by reading them again.
    if (text.length > maxWaitingBytes) return start + reset('too-much', head);
    return start + text + (haveKeysChanged() ? frame('forget', head, { all: true }) : '');
  }

  function reset(reason: ResetReason, head: bigint): string {
    resets.inc({ reason });
    return frame('reset', head, { seq: String(head) });
  }

  return (req, res) => {
    if (req.method !== 'GET') return sendInvalid(res, 'use GET', 405, { allow: 'GET' });
    return answer(req, res);
  };
}

/** Reads the request, or returns what is wrong with it, for people. */
function readRequest({
  url = '',
  headers,
}: IncomingMessage): { readonly after: bigint | undefined; readonly also: Interest } | string {
  const mark = url.indexOf('?');
  const query = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1));
  for (const name of ['after', 'also']) if (query.getAll(name).length > 1) return `${name} is repeated`;
  // A client that reopens its stream by itself keeps the address and sends the last id that it received.
  const lastId = headers['last-event-id'] ?? query.get('after') ?? undefined;
  const after = lastId === undefined ? undefined : parseSeq(lastId);
  if (lastId !== undefined && after === undefined) return 'after or Last-Event-ID is no decimal position';
  const also = parseAlso(query.get('also') ?? undefined);
  return also === undefined ? `also must be * or at most ${MAX_ALSO} keys, comma separated` : { after, also };
}
