import { randomBytes, randomUUID } from 'node:crypto';
import { RescindError } from '../contracts/index.js';
import type {
  CallerRecord,
  ControlFollower,
  ControlLog,
  ControlState,
  Tenant,
  TenantRecord,
} from '../control/index.js';
import { authoredRecord, type Actor } from './authored.js';
import { newSecret } from './callers/callers.js';
import { createEdits, type Edits } from './edits.js';
import { NAME_PATTERN, TenantInput, createReader } from './inputs.js';
import { tenantView, type TenantView } from './views.js';

/** The tenant that the first start creates; its administrators create the others. */
export const DEFAULT_TENANT = 'default';
const TENANT_KEY_BYTES = 32;
/** The author of the record by which an erasure ends. */
const ERASER = 'rescind';

const readTenant = createReader(TenantInput);

/** `admin.secret` is shown in this answer and never again. */
export interface CreatedTenant extends TenantView {
  readonly admin: { readonly id: string; readonly secret: string };
}

export interface TenantCommands {
  /**
   * Creates a tenant and its first administrator (`<name>-admin` unless `admin` names it). These are two edits; a call after a crash
   * between them finishes the work.
   */
  createTenant(actor: Actor, input: unknown): Promise<CreatedTenant>;
  listTenants(actor: Actor): readonly TenantView[];
  getTenant(actor: Actor, nameOrId: string): TenantView;
}

interface Dependencies {
  readonly edits: Edits;
  readonly state: ControlState;
  readonly now: () => number;
}

export function createTenantCommands({ edits, state, now }: Dependencies): TenantCommands {
  const mayLookBeyond = (actor: Actor): boolean => state.tenant(actor.tenant)?.name === DEFAULT_TENANT;

  return {
    async createTenant(actor, input) {
      const { name, admin: id = `${name}-admin`, issuers } = readTenant(input);
      if (!mayLookBeyond(actor)) {
        throw new RescindError('forbidden', {
          detail: `only an administrator of the tenant ${DEFAULT_TENANT} creates tenants`,
        });
      }
      if (!new RegExp(NAME_PATTERN).test(id))
        throw new RescindError('inconsistent-request', {
          detail: '`name` is too long to name the administrator after it; name the first administrator in `admin`',
        });
      // Checked before the first edit, so that a taken id does not leave a tenant without an administrator.
      if (state.caller(id))
        throw new RescindError('already-exists', { detail: `a caller ${id} is registered; name another in \`admin\`` });
      const tenant = await ensureTenant(edits, actor, { name, ...(issuers ? { issuers } : {}) }, (current, known) => {
        if (known && [...current.callers()].some((caller) => caller.tenant === known.id)) {
          throw new RescindError('already-exists', { detail: 'a tenant with this name is registered' });
        }
      });
      const { secret, stored } = newSecret(Math.floor(now() / 1000));
      await ensureFirstAdmin(edits, actor, tenant.id, { id, roles: { admin: {} }, secrets: [stored], disabled: false });
      return { ...tenant, admin: { id, secret } };
    },
    listTenants: (actor) =>
      [...state.tenants()].filter(({ id }) => id === actor.tenant || mayLookBeyond(actor)).map(tenantView),
    getTenant(actor, nameOrId) {
      const tenant = state.tenantByName(nameOrId) ?? state.tenant(nameOrId);
      if (!tenant || (tenant.id !== actor.tenant && !mayLookBeyond(actor))) {
        throw new RescindError('not-found', { detail: 'no tenant of this name or id' });
      }
      return tenantView(tenant);
    },
  };
}

/**
 * Creates the command by which an erasure ends: every process and guard forgets what it remembers of the tenant's tokens. Resolves when none answers by it any
 * more.
 */
export function createForgetting(options: {
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
}): (tenant: string) => Promise<void> {
  const edits = createEdits(options);
  return (id) =>
    edits.commit({ id: ERASER, tenant: id }, (current) => {
      const { name, key, issuers } = current.tenant(id)!;
      const record = { id, name, key: key.toString('base64url'), ...(issuers ? { issuers } : {}) };
      return {
        record: authoredRecord('tenant.changed', { id: ERASER, tenant: id }, id, record, 'person-erased'),
        narrows: true,
        result: undefined,
      };
    });
}

type TenantCheck = (state: ControlState, known: Tenant | undefined) => void;

/**
 * Resolves with the tenant of this name, and creates it if it is missing. For an existing tenant an unchanged record is written again,
 * which changes nothing.
 */
export function ensureTenant(
  edits: Edits,
  actor: Actor,
  { name, issuers }: Pick<TenantRecord, 'name' | 'issuers'>,
  check: TenantCheck,
): Promise<TenantView> {
  const bound = issuers ? { issuers } : {};
  const fresh: TenantRecord = {
    id: randomUUID(),
    name,
    ...bound,
    key: randomBytes(TENANT_KEY_BYTES).toString('base64url'),
  };
  return edits.commit(actor, (current) => {
    const known = current.tenantByName(name);
    check(current, known);
    const record = known ? { id: known.id, name: known.name, ...bound, key: known.key.toString('base64url') } : fresh;
    return {
      record: authoredRecord('tenant.changed', actor, record.id, record, known ? 'updated' : 'created'),
      narrows: false,
      result: tenantView(record),
    };
  });
}

/** Registers the first administrator. Rejects with `already-exists` if the tenant has a caller, or the id is taken. */
export function ensureFirstAdmin(edits: Edits, actor: Actor, tenant: string, record: CallerRecord): Promise<void> {
  return edits.commit(actor, (current) => {
    if (current.caller(record.id) || [...current.callers()].some((caller) => caller.tenant === tenant)) {
      throw new RescindError('already-exists', { detail: 'the tenant has callers already' });
    }
    return {
      record: authoredRecord('caller.changed', actor, tenant, record, 'created'),
      narrows: false,
      result: undefined,
    };
  });
}
