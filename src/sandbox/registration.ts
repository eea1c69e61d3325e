import { EVENT_TOPIC_PREFIX, eventsSaidBy } from '../contracts/index.js';
import { RescindRefused, type RescindAdmin } from './rescind-admin.js';
import type { SigningKey } from './signing-key.js';

/** Sandboxes that may be registered in one deployment. Each start adds one, because its ports and keys are new. */
const MAX_SANDBOXES = 1_000;

export interface PartyAddresses {
  readonly idp: { readonly issuer: string; readonly key: SigningKey };
  readonly apps: readonly {
    readonly name: string;
    readonly issuer: string;
    readonly resource: string;
    readonly key: SigningKey;
    readonly hasGuard: boolean;
  }[];
}

export interface RegisteredParty {
  /** The source's short name, which is also its caller's id. */
  readonly name: string;
  /** The CloudEvents `source`. */
  readonly uri: string;
  readonly topic: string;
  readonly secret: string;
}

export interface Registered {
  /** Keyed by the sandbox's own names: `idp` and the applications' names. */
  readonly parties: ReadonlyMap<string, RegisteredParty>;
  /** The analyst's caller, which may order revocations and read. */
  readonly analyst: { readonly id: string; readonly secret: string };
}

/** Seconds. All parties of a sandbox share one clock, so a small skew suffices and brings `regrant_after` closer. */
const PROFILE = { skew: 1 } as const;

/**
 * Registers a source and a caller for every party. Names are unique in a deployment and a sandbox's addresses are new on every start, so a
 * later sandbox gets names that end in a number.
 */
export async function registerParties(
  admin: RescindAdmin,
  { idp, apps }: PartyAddresses,
  wanted?: string,
): Promise<Registered> {
  const suffix = await claimSuffix(admin, wanted, (name) => ({
    name,
    uri: `urn:sandbox:${name}`,
    types: eventsSaidBy('idp'),
    issuers: [idp.issuer],
    resources: apps.flatMap(({ issuer, resource }) => [issuer, resource]),
    jwks: idp.key.publicJwks,
    profile: PROFILE,
  }));
  const parties = new Map<string, RegisteredParty>();
  parties.set('idp', await registerCaller(admin, `idp${suffix}`, {}));
  for (const app of apps) {
    const name = `${app.name}${suffix}`;
    await admin.post('/v1/sources', {
      name,
      uri: `urn:sandbox:${name}`,
      types: eventsSaidBy('authorization-server', 'resource-server'),
      issuers: [app.issuer],
      resources: [app.resource],
      jwks: app.key.publicJwks,
      profile: PROFILE,
    });
    // The authorization server asks about ID-JAGs whose audience it is; the API asks about its own tokens.
    const introspect = { resources: [app.issuer, app.resource], issuers: [app.issuer, idp.issuer], wait: true };
    const guard = { resources: [app.resource], issuers: [app.issuer], wait: true };
    parties.set(app.name, await registerCaller(admin, name, app.hasGuard ? { introspect, guard } : { introspect }));
  }
  const analyst = await createCaller(admin, `analyst${suffix}`, { revoke: { tenant: true }, audit: {} });
  return { parties, analyst };
}

async function claimSuffix(
  admin: RescindAdmin,
  wanted: string | undefined,
  source: (name: string) => object,
): Promise<string> {
  if (wanted !== undefined) {
    await admin.post('/v1/sources', source(`idp${wanted}`));
    return wanted;
  }
  for (let count = 1; count <= MAX_SANDBOXES; count += 1) {
    const suffix = count === 1 ? '' : `-${count}`;
    try {
      await admin.post('/v1/sources', source(`idp${suffix}`));
      return suffix;
    } catch (error) {
      if (!(error instanceof RescindRefused) || error.code !== 'already-exists') throw error;
    }
  }
  throw new Error(`this deployment already knows ${MAX_SANDBOXES} sandboxes`);
}

async function registerCaller(admin: RescindAdmin, name: string, roles: object): Promise<RegisteredParty> {
  const { secret } = await createCaller(admin, name, { emit: { sources: [name] }, ...roles });
  return { name, uri: `urn:sandbox:${name}`, topic: `${EVENT_TOPIC_PREFIX}${name}`, secret };
}

async function createCaller(admin: RescindAdmin, id: string, roles: object): Promise<{ id: string; secret: string }> {
  const { secret } = await admin.post<{ secret?: unknown }>('/v1/callers', { id, roles });
  if (typeof secret !== 'string') throw new Error(`the answer to the registration of caller ${id} holds no secret`);
  return { id, secret };
}
