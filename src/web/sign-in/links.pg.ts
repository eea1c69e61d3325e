import { createHash, randomBytes } from 'node:crypto';
import type { Pool } from '../../platform/postgres/index.js';

/** A link is good for so long, milliseconds. */
const LINK_MS = 3_600_000;

const INSERT = 'INSERT INTO sign_in_link (tenant, id, caller, ends_at) VALUES ($1, $2, $3, $4)';
const TAKE = 'DELETE FROM sign_in_link WHERE id = $1 RETURNING tenant, caller, ends_at';
const DROP_ENDED = 'DELETE FROM sign_in_link WHERE ends_at <= $1';

/** Links by which an administrator signs in once, where there is no identity provider or it is away. */
export interface Links {
  /** Makes a link in the name of a caller. `code` is shown once; `endsAt` is epoch milliseconds. */
  create(caller: {
    readonly id: string;
    readonly tenant: string;
  }): Promise<{ readonly code: string; readonly endsAt: number }>;
  /** Uses a link up. Resolves to the caller that made it; undefined if there is no such link, or it has ended. */
  take(code: string): Promise<{ readonly tenant: string; readonly caller: string } | undefined>;
}

export function createLinks({ pool, now = Date.now }: { readonly pool: Pool; readonly now?: () => number }): Links {
  return {
    async create({ id, tenant }) {
      const code = randomBytes(32).toString('base64url');
      const endsAt = now() + LINK_MS;
      await pool.query(DROP_ENDED, [now()]);
      await pool.query(INSERT, [tenant, digest(code), id, endsAt]);
      return { code, endsAt };
    },
    async take(code) {
      const row = (await pool.query<{ tenant: string; caller: string; ends_at: string }>(TAKE, [digest(code)])).rows[0];
      return row === undefined || Number(row.ends_at) <= now() ? undefined : { tenant: row.tenant, caller: row.caller };
    },
  };
}

const digest = (code: string): Buffer => createHash('sha256').update(code).digest();
