import type { IncomingMessage, ServerResponse } from 'node:http';
import { FORM_MEDIA_TYPE, RescindError, type OAuthError } from '../../contracts/index.js';
import type { ControlFollower } from '../../control/index.js';
import { TooManyWaiting } from '../../platform/bounds/index.js';
import { MAX_FORM_BYTES, readForm, type FormProblem, type HotHandler } from '../../platform/http/index.js';
import { type Log } from '../../platform/log/index.js';
import { type Metrics } from '../../platform/observe/index.js';
import type { LineageReader } from '../../projections/index.js';
import { missingRole, oauthRefusal, type Authenticator } from '../../registry/index.js';
import type { OwnOutcome } from '../recorded/own-rules.js';
import { createFindToken, type TokenIdentifier } from './presented-token.js';
import type { Revocations } from '../revocations.js';

/** Seconds. A node regains its lease in one or two. */
const RETRY_AFTER = '1';
/** Seconds. A key set is fetched again at most this often. */
const NO_KEY_RETRY_AFTER = '30';

export interface RevokeHandlerOptions {
  readonly authenticate: Authenticator;
  readonly revocations: Pick<Revocations, 'orderOwn'>;
  readonly verifier: TokenIdentifier;
  readonly lineage: LineageReader;
  readonly follower: Pick<ControlFollower, 'state'>;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Returns a request's address if a proxy stands in front. */
  readonly remoteAddress?: (req: IncomingMessage) => string;
  /** Clock in milliseconds that never goes back; refills a caller's bounds. */
  readonly monotonic?: () => number;
}

type Outcome =
  | OwnOutcome
  | FormProblem
  | 'nothing-to-revoke'
  | 'no-key'
  | 'no-token'
  | 'too-many'
  | 'unauthenticated'
  | 'no-role'
  | 'unavailable'
  | 'wrong-method';

/** Serves `POST /revoke` (RFC 7009) on a plain request and response. Answers success when the token is dead everywhere. */
export function createRevokeHandler(options: RevokeHandlerOptions): HotHandler {
  const { authenticate, revocations, follower, log, remoteAddress = (req) => req.socket.remoteAddress ?? '' } = options;
  const findToken = createFindToken(options);
  const requests = options.metrics.counter('rescind_revoke_requests_total', 'Calls of /revoke, by how they ended', [
    'outcome',
  ]);
  const count = (outcome: Outcome): void => requests.inc({ outcome });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<Outcome> {
    const form = await readForm(req);
    if (typeof form === 'string') return refuseForm(res, form);

    const { caller, refusal } = authenticate({
      authorization: req.headers.authorization,
      form,
      remoteAddress: remoteAddress(req),
    });
    if (refusal) {
      const { status, headers, body } = oauthRefusal(refusal);
      return sendError(res, status, body, headers, 'unauthenticated');
    }
    const token = form.get('token');
    if (token === undefined) {
      return sendError(res, 400, { error: 'invalid_request', error_description: 'token is missing' }, {}, 'no-token');
    }
    if (!caller.roles['revoke-own']) {
      const { status, headers, body } = missingRole('revoke-own');
      return sendError(res, status, body, headers, 'no-role');
    }
    const tenant = follower.state.tenant(caller.tenant);
    if (!tenant) throw new TypeError('a caller has a tenant');
    const found = await findToken({ tenant, caller: caller.id, text: token, hint: form.get('token_type_hint') });
    if (found === 'no-key')
      return sendUnavailable(
        res,
        "the keys of the token's issuer are not there now; repeat the request",
        found,
        NO_KEY_RETRY_AFTER,
      );
    const outcome = found === 'no-token' ? 'nothing-to-revoke' : await revocations.orderOwn(caller, found);
    switch (outcome) {
      case 'revoked':
      case 'nothing-to-revoke':
        // RFC 7009, section 2.2: the client reads only the status.
        res.writeHead(200, { 'cache-control': 'no-store', 'content-length': '0' });
        res.end();
        return outcome;
      case 'not-own':
        // RFC 7009, section 2.1: the request is refused and the client informed; the error code is left open.
        return sendError(
          res,
          400,
          { error: 'invalid_request', error_description: 'the token was not issued to this client' },
          {},
          outcome,
        );
      case 'full':
        return sendUnavailable(res, 'too many revocations of tokens that are not known yet', outcome);
      default:
        return outcome satisfies never;
    }
  }

  return (req, res) => {
    if (req.method !== 'POST') {
      count(
        sendError(
          res,
          405,
          { error: 'invalid_request', error_description: 'use POST' },
          { allow: 'POST' },
          'wrong-method',
        ),
      );
      return;
    }
    answer(req, res).then(count, (error: unknown) => {
      if (error instanceof TooManyWaiting) {
        count(
          sendUnavailable(
            res,
            'too many tokens of this client are unknown or not signed by their issuer; slow down',
            'too-many',
          ),
        );
        return;
      }
      // RFC 7009, section 2.2.1: the client must assume that the token is still alive, and may try again.
      if (!(error instanceof RescindError)) log.error({ err: error }, 'cannot carry out a revocation; answering 503');
      count(sendUnavailable(res, 'the revocation is not confirmed; repeat the request', 'unavailable'));
    });
  };
}

function refuseForm(res: ServerResponse, problem: FormProblem): FormProblem {
  switch (problem) {
    case 'not-a-form':
      return sendError(
        res,
        400,
        {
          error: 'invalid_request',
          error_description: `the body must be ${FORM_MEDIA_TYPE}, without a Content-Encoding`,
        },
        {},
        problem,
      );
    case 'malformed':
      return sendError(
        res,
        400,
        { error: 'invalid_request', error_description: 'the form is malformed or repeats a parameter' },
        {},
        problem,
      );
    case 'too-large': {
      const body: OAuthError = {
        error: 'invalid_request',
        error_description: `the body is over ${MAX_FORM_BYTES} bytes`,
      };
      return sendError(res, 413, body, { connection: 'close' }, problem);
    }
    default:
      return problem satisfies never;
  }
}

function sendUnavailable<O extends Outcome>(
  res: ServerResponse,
  description: string,
  outcome: O,
  retryAfter = RETRY_AFTER,
): O {
  return sendError(
    res,
    503,
    { error: 'temporarily_unavailable', error_description: description },
    { 'retry-after': retryAfter },
    outcome,
  );
}

function sendError<O extends Outcome>(
  res: ServerResponse,
  status: number,
  body: OAuthError,
  headers: Readonly<Record<string, string>>,
  outcome: O,
): O {
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-length': bytes.length,
    ...headers,
  });
  res.end(bytes);
  return outcome;
}
