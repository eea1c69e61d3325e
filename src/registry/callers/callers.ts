import { randomUUID } from 'node:crypto';
import { readTime, RescindError } from '../../contracts/index.js';
import type { Caller, CallerRecord, CallerSecret, ControlState } from '../../control/index.js';
import { authoredRecord, type Actor, type Change } from '../authored.js';
import type { Edit, Edits } from '../edits.js';
import { CallerInput, CallerUpdate, SecretInput, createReader } from '../inputs.js';
import { checkRoles } from './roles-check.js';
import { generateSecret, hasExpired, secretDigest } from './secrets.js';
import { callerView, secretView, type CallerView, type SecretView } from '../views.js';

/** One secret in use, and one to rotate to. */
export const MAX_SECRETS = 2;

const readCaller = createReader(CallerInput);
const readUpdate = createReader(CallerUpdate);
const readSecret = createReader(SecretInput);

/** `secret` is shown in this answer and never again. */
export interface CreatedCaller extends CallerView {
  readonly secret: string;
}
export interface CreatedSecret extends SecretView {
  readonly secret: string;
}

export interface CallerCommands {
  createCaller(actor: Actor, input: unknown): Promise<CreatedCaller>;
  /** Replaces the roles. `disabled: false` enables a disabled caller again. */
  updateCaller(actor: Actor, id: string, input: unknown): Promise<CallerView>;
  disableCaller(actor: Actor, id: string): Promise<CallerView>;
  addSecret(actor: Actor, id: string, input: unknown): Promise<CreatedSecret>;
  removeSecret(actor: Actor, id: string, secretId: string): Promise<CallerView>;
  listCallers(actor: Actor): readonly CallerView[];
  getCaller(actor: Actor, id: string): CallerView;
}

interface Dependencies {
  readonly edits: Edits;
  readonly state: ControlState;
  readonly now: () => number;
}

type Amendment = (current: ControlState, before: CallerRecord) => CallerRecord;

export function createCallerCommands({ edits, state, now }: Dependencies): CallerCommands {
  const seconds = (): number => Math.floor(now() / 1000);

  function edit<T>(actor: Actor, record: CallerRecord, change: Change, result: T): Edit<T> {
    return {
      record: authoredRecord('caller.changed', actor, actor.tenant, record, change),
      narrows: change !== 'created' && change !== 'secret-added',
      result,
    };
  }

  /** Refuses every change that would leave the tenant without an administrator, because nobody could undo it. */
  function keepAdmin(current: ControlState, before: Caller, after: CallerRecord): void {
    if (!isAdmin(before, seconds()) || isAdmin(after, seconds())) return;
    for (const other of current.callers()) {
      if (other.tenant === before.tenant && other.id !== before.id && isAdmin(other, seconds())) return;
    }
    throw new RescindError('last-admin');
  }

  function amend(actor: Actor, id: string, kind: Change, apply: Amendment): Promise<CallerView> {
    return edits.commit(actor, (current) => {
      const before = findCaller(current, actor, id);
      const { tenant, ...record } = before;
      const after = apply(current, record);
      keepAdmin(current, before, after);
      return edit(actor, after, kind, callerView({ ...after, tenant }));
    });
  }

  return {
    async createCaller(actor, input) {
      const { id, roles, expires_at } = readCaller(input);
      const created = newSecret(seconds(), readTime('expires_at', expires_at, seconds(), 'after'));
      return edits.commit(actor, (current) => {
        if (current.caller(id))
          throw new RescindError('already-exists', { detail: 'a caller with this id is registered' });
        const record: CallerRecord = {
          id,
          roles: checkRoles(current, actor.tenant, roles),
          secrets: [created.stored],
          disabled: false,
        };
        return edit(actor, record, 'created', {
          ...callerView({ ...record, tenant: actor.tenant }),
          secret: created.secret,
        });
      });
    },
    async updateCaller(actor, id, input) {
      const { roles, disabled } = readUpdate(input);
      return amend(actor, id, disabled === true ? 'disabled' : 'updated', (current, before) => ({
        ...before,
        roles: checkRoles(current, actor.tenant, roles),
        disabled: disabled ?? before.disabled,
      }));
    },
    disableCaller: (actor, id) => amend(actor, id, 'disabled', (_, before) => ({ ...before, disabled: true })),
    async addSecret(actor, id, input) {
      const { expires_at } = readSecret(input ?? {});
      const created = newSecret(seconds(), readTime('expires_at', expires_at, seconds(), 'after'));
      return edits.commit(actor, (current) => {
        const { tenant: _, ...record } = findCaller(current, actor, id);
        const usable = record.secrets.filter((secret) => !hasExpired(secret, seconds()));
        if (usable.length >= MAX_SECRETS) throw new RescindError('too-many-secrets');
        const result = { ...secretView(created.stored), secret: created.secret };
        return edit(actor, { ...record, secrets: [...usable, created.stored] }, 'secret-added', result);
      });
    },
    removeSecret: (actor, id, secretId) =>
      amend(actor, id, 'secret-removed', (_, before) => {
        const rest = before.secrets.filter((secret) => secret.id !== secretId);
        if (rest.length === before.secrets.length)
          throw new RescindError('not-found', { detail: 'the caller has no secret of this id' });
        return { ...before, secrets: rest };
      }),
    listCallers: (actor) =>
      [...state.callers()]
        .filter(({ tenant }) => tenant === actor.tenant)
        .sort((one, other) => (one.id < other.id ? -1 : 1))
        .map(callerView),
    getCaller: (actor, id) => callerView(findCaller(state, actor, id)),
  };
}

const isAdmin = (caller: CallerRecord, seconds: number): boolean =>
  caller.roles.admin !== undefined && !caller.disabled && caller.secrets.some((secret) => !hasExpired(secret, seconds));

export function newSecret(seconds: number, expiresAt?: number): { secret: string; stored: CallerSecret } {
  if (expiresAt !== undefined && expiresAt <= seconds) {
    throw new RescindError('time-not-future', { detail: '`expires_at` must lie in the future' });
  }
  const secret = generateSecret();
  return { secret, stored: storedSecret(secret, seconds, expiresAt) };
}

export const storedSecret = (secret: string, seconds: number, expiresAt?: number): CallerSecret => ({
  id: randomUUID(),
  sha256: secretDigest(secret),
  created_at: seconds,
  ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
});

function findCaller(state: ControlState, actor: Actor, id: string): Caller {
  const caller = state.caller(id);
  if (caller?.tenant !== actor.tenant) throw new RescindError('not-found', { detail: 'no caller of this id' });
  return caller;
}
