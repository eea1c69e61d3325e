import type * as providerModule from 'oidc-provider';
import type { Adapter, AdapterPayload, Configuration, Provider } from 'oidc-provider';
import type { Log } from '../platform/log/index.js';

type ProviderModule = typeof providerModule;
export type ProviderErrors = typeof providerModule.errors;

let loading: Promise<ProviderModule> | undefined;

/**
 * Loads oidc-provider without its notices on the console. oidc-provider writes notices to the console only, and writes one on import on a
 * Node that it does not support; in the middle of the demo's output the line would look like the demo's own.
 */
async function importQuietly(log: Log): Promise<ProviderModule> {
  const warn = console.warn;
  console.warn = (notice: unknown) => log.debug({ notice: String(notice) }, 'oidc-provider notice');
  try {
    return await import('oidc-provider');
  } finally {
    console.warn = warn;
  }
}

export function loadProviderModule(log: Log): Promise<ProviderModule> {
  loading ??= importQuietly(log);
  return loading;
}

export async function createProvider(issuer: string, configuration: Configuration, log: Log): Promise<Provider> {
  const module = await loadProviderModule(log);
  const provider = new module.Provider(issuer, { ...configuration, adapter: createAdapterClass() });
  provider.on('server_error', (_ctx, error) => log.error({ err: error, issuer }, 'authorization server failed'));
  return provider;
}

/**
 * oidc-provider's own memory adapter is one store for all providers of the process. The sandbox's servers are separate
 * organisations, so each gets its own.
 */
function createAdapterClass(): new (name: string) => Adapter {
  const records = new Map<string, { payload: AdapterPayload; expiresAt: number }>();

  return class PartyAdapter implements Adapter {
    readonly #name: string;

    constructor(name: string) {
      this.#name = name;
    }

    async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
      const expiresAt = Number.isFinite(expiresIn) ? Date.now() + expiresIn * 1000 : Number.POSITIVE_INFINITY;
      records.set(`${this.#name}:${id}`, { payload, expiresAt });
    }

    async find(id: string): Promise<AdapterPayload | undefined> {
      const record = records.get(`${this.#name}:${id}`);
      return record !== undefined && record.expiresAt > Date.now() ? record.payload : undefined;
    }

    async findByUid(uid: string): Promise<AdapterPayload | undefined> {
      return this.#findWhere((payload) => payload.uid === uid);
    }

    async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
      return this.#findWhere((payload) => payload.userCode === userCode);
    }

    async consume(id: string): Promise<void> {
      const record = records.get(`${this.#name}:${id}`);
      if (record !== undefined) record.payload.consumed = Math.floor(Date.now() / 1000);
    }

    async destroy(id: string): Promise<void> {
      records.delete(`${this.#name}:${id}`);
    }

    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, { payload }] of records) {
        if (payload.grantId === grantId) records.delete(key);
      }
    }

    #findWhere(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
      for (const [key, { payload, expiresAt }] of records) {
        if (key.startsWith(`${this.#name}:`) && expiresAt > Date.now() && matches(payload)) return payload;
      }
      return undefined;
    }
  };
}
