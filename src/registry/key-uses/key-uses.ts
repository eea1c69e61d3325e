import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { KeyUsed } from '../../contracts/index.js';
import type { Caller, CallerRoles } from '../../control/index.js';
import type { Log } from '../../platform/log/index.js';
import { networkOf } from '../callers/networks.js';
import type { CallerNetworks, KeyUse } from './caller-networks.pg.js';

/** New networks of one caller that are recorded in a day (UTC). Beyond that, further ones are recorded from the next day on. */
export const NETWORKS_A_DAY = 20;

/** Roles that read or change. Keys of the others are with resource apps and producers, which call from many nodes. */
const WATCHED_ROLES: readonly (keyof CallerRoles)[] = ['audit', 'revoke', 'admin'];

/** The size of network that an office, a home or a site usually has (RFC 6177). */
const NETWORK = { ipv4: 24, ipv6: 48 };
/** Loopback by IPv4 and by IPv6 is one network: a client on the machine picks either. */
const LOOPBACK = '127.0.0.0/8';
const LOOPBACK_IPV6 = '::/48';

/** Callers in a network that are remembered; one that is forgotten is looked up again. */
const MAX_KNOWN = 10_000;
/** Uses that wait for the database. Beyond that, a use is recorded at the next request. */
const MAX_WAITING = 1_000;
/** Pause before something that could not be written is tried again. */
const RETRY_MS = 10_000;
const DAY_MS = 86_400_000;

/** Writes an event to the ledger; resolves to its index when it is durable. What is told again under an id has the same entry. */
export type TellKeyUse = (told: {
  readonly tenant: string;
  readonly id: string;
  readonly atMs: number;
  readonly data: KeyUsed;
}) => Promise<bigint>;

export interface KeyUses {
  /** Notes that a caller came from an address, with a key or as a person who has signed in. Returns at once and never throws. */
  note(use: { readonly caller: Caller; readonly key?: string | undefined; readonly address: string }): void;
  /** Writes the entries that a process which ended has left unwritten. */
  start(): void;
  /** Resolves when what was noted is written, or cannot be written now. */
  stop(): Promise<void>;
}

export interface KeyUsesOptions {
  readonly stored: CallerNetworks;
  readonly tell: TellKeyUse;
  readonly tenants: () => Iterable<{ readonly id: string }>;
  readonly log: Log;
  /** Returns epoch milliseconds. */
  readonly now?: () => number;
  readonly retryMs?: number;
}

/**
 * Records from which networks callers come, behind their requests. The row of a new network comes first; its ledger entry, `key.used`, follows,
 * written by the process that added the row, or by the next one that starts.
 */
export function createKeyUses({
  stored,
  tell,
  tenants,
  log,
  now = Date.now,
  retryMs = RETRY_MS,
}: KeyUsesOptions): KeyUses {
  /** The day on which a caller was last recorded in a network. */
  const known = new LRUCache<string, number>({ max: MAX_KNOWN });
  /** Callers that reached the limit, with the day on which they did. */
  const full = new LRUCache<string, number>({ max: MAX_KNOWN });
  const waiting = new Map<string, KeyUse>();
  /** Tenants with rows that may lack their entry. */
  const owing = new Set<string>();
  const ending = new AbortController();
  let working = false;
  let work: Promise<void> = Promise.resolve();

  async function recordWaiting(): Promise<void> {
    for (const [name, use] of waiting) {
      const outcome = await stored.record(use);
      if (outcome === 'full') {
        full.set(callerName(use), dayOf(use.atMs));
        for (const [other, { tenant, caller }] of waiting)
          if (tenant === use.tenant && caller === use.caller) waiting.delete(other);
        log.warn(
          { tenant: use.tenant, caller: use.caller, networks: NETWORKS_A_DAY },
          'a caller comes from too many networks; further ones are not recorded today',
        );
        continue;
      }
      if (outcome === 'recorded') owing.add(use.tenant);
      known.set(name, dayOf(use.atMs));
      waiting.delete(name);
    }
  }

  async function payOwed(): Promise<void> {
    let failed: unknown;
    for (const tenant of owing) {
      try {
        for (let rows = await stored.owed(tenant); rows.length > 0; rows = await stored.owed(tenant))
          for (const row of rows) {
            const id = `key-${row.caller}-${row.network}-${row.atMs}`;
            await stored.told(row, await tell({ tenant, id, atMs: row.atMs, data: row.said }));
          }
        owing.delete(tenant);
      } catch (err) {
        failed = err;
      }
    }
    if (failed !== undefined) throw failed;
  }

  async function run(): Promise<void> {
    while (waiting.size > 0 || owing.size > 0) {
      try {
        await recordWaiting();
        await payOwed();
      } catch (err) {
        if (ending.signal.aborted) break;
        log.warn({ err, retry_ms: retryMs }, 'cannot record from which network a caller came; retrying');
        await delay(retryMs, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
      }
    }
    working = false;
  }

  function wake(): void {
    if (working) return;
    working = true;
    work = run();
  }

  return {
    note({ caller: { id: caller, tenant, roles, person }, key, address }) {
      if (!WATCHED_ROLES.some((role) => roles[role] !== undefined)) return;
      const network = watchedNetwork(address);
      if (network === undefined) return;
      const by = person === undefined ? { key } : { person: { iss: person.iss, sub: person.sub } };
      const use = { tenant, caller, ...by, network, atMs: now() } as KeyUse;
      const name = `${callerName(use)} ${network}`;
      if (known.get(name) === dayOf(use.atMs) || waiting.has(name) || waiting.size >= MAX_WAITING) return;
      if (full.get(callerName(use)) === dayOf(use.atMs)) return;
      waiting.set(name, use);
      wake();
    },
    start() {
      for (const { id } of tenants()) owing.add(id);
      if (owing.size > 0) wake();
    },
    async stop() {
      ending.abort();
      await work;
    },
  };
}

const callerName = ({ tenant, caller }: Pick<KeyUse, 'tenant' | 'caller'>): string => `${tenant} ${caller}`;

const dayOf = (ms: number): number => Math.floor(ms / DAY_MS);

/** A proxy that writes something else than an address into `X-Forwarded-For` leaves nothing to record. */
function watchedNetwork(address: string): string | undefined {
  const network = networkOf(address, NETWORK);
  return network === LOOPBACK_IPV6 || network?.startsWith('127.') ? LOOPBACK : network;
}
