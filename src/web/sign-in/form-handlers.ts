import type { IncomingMessage, ServerResponse } from 'node:http';
import { RescindError } from '../../contracts/index.js';
import { problemOf, readForm, type HotHandler } from '../../platform/http/index.js';
import type { Log } from '../../platform/log/index.js';
import { CONSOLE_HEADER } from '../sessions/sessions.pg.js';
import type { SignIn } from './sign-in.js';

/**
 * Serves the forms that anybody may post: at most 64 KiB, and read before the framework. `/console/link` takes the `code` of a link,
 * `/console/back-channel-logout` the `logout_token` of the identity provider.
 */
export function createFormHandlers(signIn: SignIn, log: Log): ReadonlyMap<string, HotHandler> {
  const handler =
    (
      member: string,
      act: (value: string, req: IncomingMessage) => Promise<Readonly<Record<string, string>>>,
    ): HotHandler =>
    (req, res) => {
      void answer(req, member, act).then(
        (headers) => send(res, 204, headers),
        (error: unknown) => {
          if (!(error instanceof RescindError)) log.error({ err: error }, 'a form of the console failed');
          const { status, headers, body } = problemOf(
            error instanceof RescindError ? error : new RescindError('internal'),
          );
          send(res, status, headers, JSON.stringify(body));
        },
      );
    };
  return new Map([
    [
      '/console/link',
      handler('code', async (code, { headers }) => {
        // Another site must not sign a browser in as somebody else.
        if (headers[CONSOLE_HEADER] === undefined)
          throw new RescindError('forbidden', { detail: `the header ${CONSOLE_HEADER} is missing` });
        return { 'set-cookie': await signIn.byLink(code) };
      }),
    ],
    [
      '/console/back-channel-logout',
      handler('logout_token', async (token) => {
        await signIn.logOut(token);
        return {};
      }),
    ],
  ]);
}

async function answer(
  req: IncomingMessage,
  member: string,
  act: (value: string, req: IncomingMessage) => Promise<Readonly<Record<string, string>>>,
): Promise<Readonly<Record<string, string>>> {
  if (req.method !== 'POST') throw new RescindError('method-not-allowed', { extensions: { allow: ['POST'] } });
  const form = await readForm(req);
  const value = typeof form === 'string' ? undefined : form.get(member);
  if (value === undefined) throw new RescindError('invalid-request', { detail: `post a form with \`${member}\`` });
  return act(value, req);
}

function send(res: ServerResponse, status: number, headers: Readonly<Record<string, string>>, body = ''): void {
  res.writeHead(status, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers });
  res.end(body);
}
