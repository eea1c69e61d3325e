import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Caller, ControlState } from '../../control/index.js';
import type { PeopleConfig, PeopleRole } from '../../platform/config/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import type { People } from '../../registry/index.js';
import { selectorKey, stops, type Selector } from '../../rules/index.js';
import { LINK_ISSUER, personId, rightsOf } from '../people.js';
import { clearCookie, readCookie, SESSION_COOKIE, setCookie } from './cookies.js';

/** How far the clocks of an identity provider and of Rescind may differ, seconds. */
const SKEW_S = 5;
/** A use is noted at most so often, milliseconds. */
const NOTED_EVERY_MS = 60_000;
/** A request that changes something must have this header, which no form of another site can send. */
export const CONSOLE_HEADER = 'x-rescind-console';
/** An open page sends this header with what it asks by itself, which is no use of the session. So the header can only make a session end sooner. */
export const UNATTENDED_HEADER = 'x-rescind-unattended';
/** A browser opens the stream anew by itself, and its reader is identified again and again for as long as it is open. */
const STREAM_PATH = '/v1/stream';

const INSERT = `INSERT INTO person_session (tenant, id, iss, sub, sid, name, roles, authenticated_at, seen_seq, began_at, used_at, ends_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)`;
const FIND = 'SELECT * FROM person_session WHERE id = $1 AND ends_at > $2 AND used_at > $3';
const NOTE_USE = 'UPDATE person_session SET used_at = $2 WHERE id = $1 AND used_at < $2';
const END = 'DELETE FROM person_session WHERE id = $1';
const END_PERSON =
  'DELETE FROM person_session WHERE iss = $1 AND ($2::text IS NULL OR sub = $2) AND ($3::text IS NULL OR sid = $3)';
const DROP_ENDED = 'DELETE FROM person_session WHERE ends_at <= $1 OR used_at <= $2';

/** A person as they signed in. */
export interface SignedInPerson {
  readonly tenant: string;
  readonly iss: string;
  readonly sub: string;
  /** The session at the identity provider. */
  readonly sid?: string | undefined;
  readonly name?: string | undefined;
  readonly roles: readonly PeopleRole[];
  /** Epoch milliseconds; 0 if nobody knows. */
  readonly authenticatedAt: number;
}

export interface Session extends SignedInPerson {
  readonly beganAt: number;
  readonly endsAt: number;
}

export interface Sessions extends People {
  /** Begins a session. Resolves to the header `Set-Cookie`. */
  begin(person: SignedInPerson): Promise<string>;
  /** Finds the session of a request; undefined if it has none that is good. */
  find(request: IncomingMessage): Promise<Session | undefined>;
  /** Ends the session of a request. Resolves to the header `Set-Cookie`. */
  end(request: IncomingMessage): Promise<string>;
  /** Ends the sessions of a person, or those that belong to one session at the identity provider. Resolves to their number. */
  endOf(who: { readonly iss: string; readonly sub?: string; readonly sid?: string }): Promise<number>;
}

export interface SessionsOptions {
  readonly pool: Pool;
  readonly state: () => ControlState;
  readonly limits: Pick<PeopleConfig, 'idleMs' | 'sessionMs'>;
  /** The origin of the console, such as `https://rescind.example.com`; undefined: the host that the request names. */
  readonly origin: string | undefined;
  readonly now?: () => number;
}

interface Row {
  readonly tenant: string;
  readonly id: Buffer;
  readonly iss: string;
  readonly sub: string;
  readonly sid: string | null;
  readonly name: string | null;
  readonly roles: readonly PeopleRole[];
  readonly authenticated_at: string;
  readonly seen_seq: string;
  readonly began_at: string;
  readonly used_at: string;
  readonly ends_at: string;
}

/**
 * Keeps the sessions of people. A session is judged like a token: a rule that names the person, or the session at their identity provider, ends it, so that
 * `user.disabled` and `session.ended` do, whoever says so. Sessions outlive a restart.
 */
export function createSessions({ pool, state, limits, origin, now = Date.now }: SessionsOptions): Sessions {
  const idOf = (request: IncomingMessage): Buffer | undefined => {
    const cookie = readCookie(request.headers.cookie, SESSION_COOKIE);
    return cookie === undefined ? undefined : digest(cookie);
  };

  async function findRow(request: IncomingMessage): Promise<Row | undefined> {
    const id = idOf(request);
    if (id === undefined) return undefined;
    const nowMs = now();
    const row = (await pool.query<Row>(FIND, [id, nowMs, nowMs - limits.idleMs])).rows[0];
    if (row === undefined) return undefined;
    if (isStopped(state(), row, Math.floor(nowMs / 1_000))) {
      await pool.query(END, [id]);
      return undefined;
    }
    if (isUse(request) && nowMs - Number(row.used_at) >= NOTED_EVERY_MS) await pool.query(NOTE_USE, [id, nowMs]);
    return row;
  }

  return {
    has: (request) => readCookie(request.headers.cookie, SESSION_COOKIE) !== undefined,

    async identify(request) {
      const row = await findRow(request);
      if (row === undefined)
        return { refusal: { code: 'unauthenticated', detail: 'the session has ended; sign in again' } };
      if (!isOwnRequest(request, origin))
        return {
          refusal: {
            code: 'forbidden',
            detail: `a change by a person who has signed in needs the header ${CONSOLE_HEADER} and the Origin of the console`,
          },
        };
      return { caller: callerOf(row) };
    },

    async begin({ tenant, iss, sub, sid, name, roles, authenticatedAt }) {
      const nowMs = now();
      const cookie = randomBytes(32).toString('base64url');
      const endsAt = nowMs + limits.sessionMs;
      await pool.query(DROP_ENDED, [nowMs, nowMs - limits.idleMs]);
      await pool.query(INSERT, [
        tenant,
        digest(cookie),
        iss,
        sub,
        sid ?? null,
        name ?? null,
        roles,
        authenticatedAt,
        String(state().head),
        nowMs,
        endsAt,
      ]);
      return setCookie(SESSION_COOKIE, cookie, limits.sessionMs / 1_000);
    },

    async find(request) {
      const row = await findRow(request);
      return row && sessionOf(row);
    },

    async end(request) {
      const id = idOf(request);
      if (id !== undefined) await pool.query(END, [id]);
      return clearCookie(SESSION_COOKIE);
    },

    async endOf({ iss, sub, sid }) {
      if (sub === undefined && sid === undefined) throw new TypeError('a person or a session is named');
      return (await pool.query(END_PERSON, [iss, sub ?? null, sid ?? null])).rowCount ?? 0;
    },
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const isUse = ({ headers, url = '' }: IncomingMessage): boolean =>
  headers[UNATTENDED_HEADER] === undefined && url.split('?')[0] !== STREAM_PATH;

/** Reads need no more than the cookie; whatever changes something must come from the console itself. */
function isOwnRequest({ method, headers, socket }: IncomingMessage, origin: string | undefined): boolean {
  if (method === 'GET' || method === 'HEAD') return true;
  const own = origin ?? `${'encrypted' in socket ? 'https' : 'http'}://${headers.host}`;
  return headers[CONSOLE_HEADER] !== undefined && headers.origin === own;
}

function callerOf({ tenant, iss, sub, roles, authenticated_at }: Row): Caller {
  const person = { iss, sub, authenticatedAt: Math.floor(Number(authenticated_at) / 1_000) };
  return { id: personId(person), tenant, roles: rightsOf(roles), secrets: [], disabled: false, person };
}

const sessionOf = ({ tenant, iss, sub, sid, name, roles, authenticated_at, began_at, ends_at }: Row): Session => ({
  tenant,
  iss,
  sub,
  ...(sid === null ? {} : { sid }),
  ...(name === null ? {} : { name }),
  roles,
  authenticatedAt: Number(authenticated_at),
  beganAt: Number(began_at),
  endsAt: Number(ends_at),
});

/** Whether a rule names the person or their session. A rule that names more, or everything, is about tokens and stops nobody here. */
function isStopped(
  state: ControlState,
  { tenant: id, iss, sub, sid, authenticated_at, began_at, seen_seq }: Row,
  nowS: number,
): boolean {
  const tenant = state.tenant(id);
  if (tenant === undefined) return true;
  if (iss === LINK_ISSUER) return state.caller(sub)?.disabled !== false;
  const times = {
    grantedAt: Math.floor(Number(began_at) / 1_000),
    authenticatedAt: Math.floor(Number(authenticated_at) / 1_000),
    seenSeq: BigInt(seen_seq),
    skew: SKEW_S,
  };
  const who: readonly Selector[] = [{ user: { iss, sub } }, ...(sid === null ? [] : [{ session: { iss, sid } }])];
  // A rule of an event names the issuer too.
  const named = who.flatMap((one) => [one, { ...one, issuer: iss }]);
  return named.some((selector) =>
    tenant.rules.under(selectorKey(tenant.key, selector)).some((rule) => stops(rule, times, nowS)),
  );
}
