import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { RescindError } from '../contracts/index.js';
import type { CallerRecord, ControlFollower, ControlLog } from '../control/index.js';
import { writePrivateFile } from '../platform/config/index.js';
import type { Actor } from './authored.js';
import { storedSecret } from './callers/callers.js';
import { createEdits } from './edits.js';
import { generateSecret, isSecret, secretDigest } from './callers/secrets.js';
import { DEFAULT_TENANT, ensureFirstAdmin, ensureTenant } from './tenants.js';

export const ADMIN_CALLER = 'admin';
export const ADMIN_KEY_FILE = 'admin-key';

/** Roles of the first administrator, who makes narrower callers for everybody else. */
const ADMIN_ROLES: CallerRecord['roles'] = { admin: {}, audit: {}, revoke: { tenant: true } };

export interface BootstrapOptions {
  readonly home: string;
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
  readonly now?: () => number;
}

/** `created`: this call made the administrator, and `path` is the file with the administrator's key. Tell the operator once. */
export interface Bootstrapped {
  readonly created: boolean;
  readonly path: string;
}

/**
 * Prepares the first start: the tenant `default` and its administrator `admin`, whose key is in `<home>/admin-key` (0600).
 *
 * The key is on disk before its digest is in the control log. A crash in between leaves a key that nobody accepts yet, and the next start
 * registers that same key; the other order would leave an administrator whose key nobody has. If two first starts share a home, the second
 * finds the file of the first. If they have different homes, one registers its key and the other removes the file that it made.
 */
export async function bootstrap({
  home,
  controlLog,
  follower,
  now = Date.now,
}: BootstrapOptions): Promise<Bootstrapped> {
  const path = join(home, ADMIN_KEY_FILE);
  const { state } = follower;
  if (state.caller(ADMIN_CALLER)) return { created: false, path };

  const edits = createEdits({ controlLog, follower });
  const known = state.tenantByName(DEFAULT_TENANT);
  const tenant =
    known ?? (await ensureTenant(edits, { id: 'bootstrap', tenant: '' }, { name: DEFAULT_TENANT }, () => {}));
  const { secret, written } = await ensureKeyFile(path);
  const actor: Actor = { id: 'bootstrap', tenant: tenant.id };
  const stored = storedSecret(secret, Math.floor(now() / 1000));
  try {
    await ensureFirstAdmin(edits, actor, tenant.id, {
      id: ADMIN_CALLER,
      roles: ADMIN_ROLES,
      secrets: [stored],
      disabled: false,
    });
  } catch (error) {
    if (!(error instanceof RescindError) || error.code !== 'already-exists') throw error;
    const registered =
      state.caller(ADMIN_CALLER)?.secrets.some(({ sha256 }) => sha256 === secretDigest(secret)) ?? false;
    if (written && !registered) await unlink(path);
    return { created: false, path };
  }
  return { created: true, path };
}

async function ensureKeyFile(path: string): Promise<{ secret: string; written: boolean }> {
  const secret = generateSecret();
  const written = await writePrivateFile(path, `${secret}\n`);
  return { secret: written ? secret : await readKey(path), written };
}

async function readKey(path: string): Promise<string> {
  const secret = (await readFile(path, 'utf8')).trim();
  if (!isSecret(secret)) {
    throw new RescindError('config-invalid', {
      detail: `${path} does not hold a key of Rescind's; move it away and start again`,
    });
  }
  return secret;
}
