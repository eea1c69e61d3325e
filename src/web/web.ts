import type { IncomingMessage } from 'node:http';
import { RescindError, timeText } from '../contracts/index.js';
import type { Caller, ControlState } from '../control/index.js';
import type { PeopleConfig } from '../platform/config/index.js';
import type { HotHandler } from '../platform/http/index.js';
import type { Log } from '../platform/log/index.js';
import type { Pool } from '../platform/postgres/index.js';
import { maySeePayloads } from '../registry/index.js';
import type { Me, SignInLink } from './sign-in/answers.js';
import { createFormHandlers } from './sign-in/form-handlers.js';
import { createLinks } from './sign-in/links.pg.js';
import { CONSOLE_PATH, createSignIn, type SignIn } from './sign-in/sign-in.js';
import { createSessions, type Sessions } from './sessions/sessions.pg.js';

export const WEB = Symbol('rescind.web');
/** The page of the console for people who have not signed in. */
export const SIGNED_OUT_PATH = '/console/welcome';

export interface WebOptions {
  readonly pool: Pool;
  readonly state: () => ControlState;
  readonly config: PeopleConfig;
  /** URL under which people reach this deployment, without a slash at its end; undefined: that on which it listens. */
  readonly publicUrl: string | undefined;
  readonly log: Log;
  readonly now?: () => number;
}

/** Signs people in, keeps their sessions, and tells who asks. */
export interface Web {
  readonly sessions: Sessions;
  readonly signIn: SignIn;
  me(caller: Caller, request: IncomingMessage): Promise<Me>;
  /** Makes a link for an administrator. */
  link(caller: Pick<Caller, 'id' | 'tenant'>): Promise<SignInLink>;
  /** Handlers of posted forms, by path. */
  readonly handlers: ReadonlyMap<string, HotHandler>;
  /** Address of the console. */
  consoleUrl(): string;
  /** Tells the URL on which this process listens. */
  listensOn(url: string): void;
}

export function createWeb({ pool, state, config, publicUrl, log, now = Date.now }: WebOptions): Web {
  let listening: string | undefined;
  const baseUrl = (): string => {
    const url = publicUrl ?? listening;
    if (url === undefined)
      throw new RescindError('sign-in-unavailable', { detail: 'this process does not listen yet' });
    return url;
  };
  const origin = publicUrl === undefined ? undefined : new URL(publicUrl).origin;
  const sessions = createSessions({ pool, state, limits: config, origin, now });
  const links = createLinks({ pool, now });
  const signIn = createSignIn({ config, sessions, links, state, baseUrl, log, now });
  return {
    sessions,
    signIn,
    consoleUrl: () => `${baseUrl()}${CONSOLE_PATH}`,
    handlers: createFormHandlers(signIn, log),
    listensOn(url) {
      listening = url;
    },
    async me(caller, request) {
      const session = caller.person === undefined ? undefined : await sessions.find(request);
      const { roles } = caller;
      return {
        id: caller.id,
        tenant: state().tenant(caller.tenant)!.name,
        person:
          session === undefined
            ? null
            : {
                iss: session.iss,
                sub: session.sub,
                name: session.name ?? null,
                roles: [...session.roles],
                authenticated_at:
                  session.authenticatedAt === 0 ? null : timeText(Math.floor(session.authenticatedAt / 1_000)),
                ends_at: timeText(Math.floor(session.endsAt / 1_000)),
              },
        may: {
          look: roles.audit !== undefined,
          investigate: roles.audit !== undefined && maySeePayloads(caller),
          stop: roles.revoke !== undefined && 'tenant' in roles.revoke,
          administer: roles.admin !== undefined,
        },
      };
    },
    async link(caller) {
      const { code, endsAt } = await links.create(caller);
      // A fragment is sent to no server and stands in no log.
      return { url: `${baseUrl()}${SIGNED_OUT_PATH}#${code}`, ends_at: timeText(Math.floor(endsAt / 1_000)) };
    },
  };
}
