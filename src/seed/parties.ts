import { eventsSaidBy } from '../contracts/index.js';
import type { Caller, ControlState } from '../control/index.js';
import type { Actor, Registry } from '../registry/index.js';
import type { App, Organisation } from './organisation.js';
import { IDP } from './seed-event.js';

export interface RegisteredParties {
  /** URI of the source of each party. */
  readonly uris: ReadonlyMap<string, string>;
  /** The caller that may emit for all of these sources. */
  readonly caller: Caller;
  /** Disables that caller. */
  retire(): Promise<void>;
}

/**
 * Registers a source for the IdP and for each application, and one caller that may emit for all of them. Nobody gets the caller's secret.
 */
export async function registerParties(
  registry: Registry,
  state: ControlState,
  actor: Actor,
  organisation: Pick<Organisation, 'idp'> & {
    readonly apps: readonly Pick<App, 'name' | 'uri' | 'issuer' | 'resource'>[];
  },
  prefix: string,
): Promise<RegisteredParties> {
  const { idp, apps } = organisation;
  const named = (name: string): string => `${prefix}${name}`;
  const resources = apps.flatMap(({ issuer, resource }) => [issuer, resource]);
  await registry.createSource(actor, {
    name: named(IDP),
    uri: idp.uri,
    types: eventsSaidBy('idp'),
    issuers: [idp.issuer],
    resources,
  });
  for (const { name, uri, issuer, resource } of apps) {
    await registry.createSource(actor, {
      name: named(name),
      uri,
      types: eventsSaidBy('authorization-server', 'resource-server'),
      issuers: [issuer],
      resources: [resource],
    });
  }
  const id = named('seed');
  const roles = { emit: { sources: [named(IDP), ...apps.map(({ name }) => named(name))] } };
  await registry.createCaller(actor, { id, roles });
  return {
    uris: new Map([[IDP, idp.uri], ...apps.map(({ name, uri }) => [name, uri] as const)]),
    caller: state.caller(id)!,
    retire: async () => void (await registry.disableCaller(actor, id)),
  };
}
