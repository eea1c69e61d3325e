import type { IncomingMessage, ServerResponse } from 'node:http';
import { FORM_MEDIA_TYPE } from '../contracts/index.js';
import type { Caller, ControlState, Seq } from '../control/index.js';
import { MAX_FORM_BYTES, readForm, type HotHandler } from '../platform/http/index.js';
import { type Log } from '../platform/log/index.js';
import { type Metrics } from '../platform/observe/index.js';
import type { Authentication, Authenticator, Refusal } from '../registry/index.js';
import { DIMENSIONS, type RuleKey } from '../rules/index.js';
import {
  RETRY_AFTER_S,
  sendInvalid,
  sendJson,
  sendUnauthenticated,
  sendUnavailable,
  type RemoteAddress,
} from './answers.js';
import { toBase64url } from './effects.js';
import { ownInterest, parseSeq } from './interest.js';

/** Facts that a guard gets with an active answer, as of the synchronous step of the decision. */
export interface Seen {
  readonly seq: Seq;
  readonly keepMs: number;
  /** Rule keys by position in `DIMENSIONS`. */
  readonly sets: readonly (readonly RuleKey[])[];
}

export type SightAnswer =
  /** `sight` is present with an active answer, and only then. */
  | { readonly kind: 'decided'; readonly body: string; readonly sight?: Seen; readonly recorded?: true }
  | { readonly kind: 'undecided' }
  | { readonly kind: 'unauthenticated'; readonly refusal: Refusal }
  | { readonly kind: 'no-role' };

/**
 * Judges a token as `/introspect` does, within the bounds of the role `guard`. MUST call `authenticate` in the synchronous step of its
 * decision. Never rejects.
 */
export type SeeToken = (presented: {
  readonly token: string;
  readonly hint: string | undefined;
  readonly authenticate: () => Authentication;
}) => SightAnswer | Promise<SightAnswer>;

export interface TokenEndpointOptions {
  readonly state: ControlState;
  readonly authenticate: Authenticator;
  readonly sight: SeeToken;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly remoteAddress: RemoteAddress;
}

type Outcome =
  | 'active'
  | 'inactive'
  | 'behind'
  | 'undecided'
  | 'unauthenticated'
  | 'no-role'
  | 'invalid-request'
  | 'too-large';

/** The answer of `/introspect` to callers that may not know, and about every token that is not active. */
const INACTIVE = '{"active":false}';

/**
 * The answer about a recorded token for the guard's resources that is stopped, expired or otherwise refused: its use is worth reporting.
 */
const INACTIVE_RECORDED = '{"active":false,"rescind":{"recorded":true}}';

const RESOURCE = DIMENSIONS.indexOf('resource');

/** Serves `POST /feed/token`: the answer of `/introspect`, with the facts that the guard needs to repeat the answer by itself. */
export function createTokenEndpoint(options: TokenEndpointOptions): HotHandler {
  const { state, authenticate, sight, metrics, log, remoteAddress } = options;
  const tokens = metrics.counter('rescind_feed_tokens_total', 'Calls of /feed/token, by how they ended', ['outcome']);

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<Outcome> {
    const form = await readForm(req);
    if (form === 'too-large')
      return said(
        'too-large',
        sendInvalid(res, `the body is over ${MAX_FORM_BYTES} bytes`, 413, { connection: 'close' }),
      );
    if (form === 'not-a-form')
      return said(
        'invalid-request',
        sendInvalid(res, `the body must be ${FORM_MEDIA_TYPE}, without a Content-Encoding`),
      );
    if (form === 'malformed')
      return said('invalid-request', sendInvalid(res, 'the form is malformed or repeats a parameter'));

    const credentials = { authorization: req.headers.authorization, form, remoteAddress: remoteAddress(req) };
    const token = form.get('token');
    const held = parseSeq(form.get('held') ?? '0');
    if (token === undefined || held === undefined || held > state.head) {
      const { refusal } = authenticate(credentials);
      if (refusal) return said('unauthenticated', sendUnauthenticated(res, refusal));
      if (token === undefined) return said('invalid-request', sendInvalid(res, 'token is missing'));
      if (held === undefined) return said('invalid-request', sendInvalid(res, 'held must be a decimal position'));
      return said('behind', sendUnavailable(res, 'behind'));
    }
    let authentication: Authentication | undefined;
    const answered = await sight({
      token,
      hint: form.get('token_type_hint'),
      authenticate: () => (authentication = authenticate(credentials)),
    });
    return send(res, answered, authentication?.caller, credentials.authorization);
  }

  function send(
    res: ServerResponse,
    answered: SightAnswer,
    caller: Caller | undefined,
    authorization: string | undefined,
  ): Outcome {
    switch (answered.kind) {
      case 'decided':
        if (!answered.sight || !caller)
          return said('inactive', sendJson(res, 200, answered.recorded ? INACTIVE_RECORDED : INACTIVE));
        return said('active', sendJson(res, 200, withRescind(answered.body, rescindOf(answered.sight, caller))));
      case 'undecided':
        return said('undecided', sendEmpty(res));
      case 'unauthenticated':
        return said('unauthenticated', sendUnauthenticated(res, answered.refusal));
      case 'no-role':
        return said('no-role', sendNoRole(res, authorization));
      default:
        return answered satisfies never;
    }
  }

  function rescindOf({ seq, keepMs, sets }: Seen, caller: Caller): object {
    const shapeSets = sets.map((set) => set.map(toBase64url));
    const own = ownInterest(state.tenant(caller.tenant)!, caller.roles.guard!);
    return {
      seq: String(seq),
      keep_ms: keepMs,
      shape_sets: shapeSets,
      outside: shapeSets[RESOURCE]!.some((key) => !own.has(key)),
    };
  }

  return (req, res) => {
    if (req.method !== 'POST') return sendInvalid(res, 'use POST', 405, { allow: 'POST' });
    answer(req, res).then(
      (outcome) => tokens.inc({ outcome }),
      (error: unknown) => {
        log.error({ err: error }, 'cannot judge a token for a guard; answering 503');
        if (!res.headersSent) sendEmpty(res);
      },
    );
  };
}

const said = (outcome: Outcome, _sent: void): Outcome => outcome;

/**
 * Adds `rescind` to a body. The issuer of an ID-JAG chooses its other members, so it may contain a member of that name, which is
 * replaced.
 */
function withRescind(body: string, rescind: object): string {
  if (body.includes('"rescind"')) return JSON.stringify({ ...(JSON.parse(body) as object), rescind });
  return `${body.slice(0, -1)},"rescind":${JSON.stringify(rescind)}}`;
}

/** Answers as `/introspect` does if no decision is possible now. */
function sendEmpty(res: ServerResponse): void {
  res.writeHead(503, { 'retry-after': String(RETRY_AFTER_S), 'cache-control': 'no-store', 'content-length': '0' });
  res.end();
}

/** Answers as `/introspect` does: RFC 7662, sections 2.2 and 2.3. */
function sendNoRole(res: ServerResponse, authorization: string | undefined): void {
  if (!/^bearer /i.test(authorization ?? '')) return sendJson(res, 200, INACTIVE);
  return sendJson(
    res,
    401,
    { error: 'insufficient_scope' },
    { 'www-authenticate': 'Bearer realm="rescind", error="insufficient_scope"' },
  );
}
