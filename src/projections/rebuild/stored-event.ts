import { parseEventTime, parseEventType, isOwnEventName, RescindError, type RegistryChanged } from '../../contracts/index.js';
import type { StoredEntry, StoredPayload } from '../../log/index.js';
import { parseStrictJson } from '../../platform/index.js';
import type { ProjectedEvent } from '../event.js';

/** Resource identifiers of a source as its entries say them, in the order of the ledger. */
export interface SourceResources {
  of(source: string): readonly string[];
  changed(source: string, resources: readonly string[]): void;
}

/** `first`: as the source was registered; for events that stand before the entry of its registration, or without one. */
export function createSourceResources(first: (source: string) => readonly string[]): SourceResources {
  const said = new Map<string, readonly string[]>();
  return {
    of(source) {
      let resources = said.get(source);
      if (!resources) said.set(source, (resources = first(source)));
      return resources;
    },
    changed: (source, resources) => void said.set(source, resources),
  };
}

export interface Tenant {
  readonly id: string;
  readonly key: Uint8Array;
}

/**
 * The event of an entry as its writers took it, without judging it again: it was accepted. Undefined for what is erased and for
 * Rescind's own entries, of which `source.changed` is heeded. `seenSeq` is not in the ledger and comes as 0.
 */
export function readStoredEvent({ index, type, source, payload }: StoredEntry, tenant: Tenant, resources: SourceResources): ProjectedEvent | undefined {
  if (!payload) return undefined;
  const name = parseEventType(type);
  if (name === undefined) throw unreadable(tenant, index, 'its type is none of this release');
  if (isOwnEventName(name)) {
    if (name === 'source.changed') noteResources(envelopeOf(payload)['data'] as RegistryChanged, resources);
    return undefined;
  }
  const { time, data } = envelopeOf(payload);
  const atMs = typeof time === 'string' ? parseEventTime(time) : undefined;
  if (atMs === undefined || typeof data !== 'object') throw unreadable(tenant, index, 'it has no time or no data');
  return {
    name,
    data,
    tenant: tenant.id,
    tenantKey: tenant.key,
    ix: index,
    seenSeq: 0n,
    source,
    sourceResources: resources.of(source),
    at: Math.floor(atMs / 1000),
    atMs,
  } as ProjectedEvent;
}

/** As it came: in binary mode the time is a header and the bytes are the data. */
function envelopeOf({ mode, headers, bytes }: StoredPayload): Readonly<Record<string, unknown>> {
  const parsed = parseStrictJson(bytes);
  if (mode !== 'binary') return parsed as Readonly<Record<string, unknown>>;
  return { data: parsed, time: headers.find(([name]) => name === 'ce_time')?.[1].toString('utf8') };
}

function noteResources({ id, after }: RegistryChanged, resources: SourceResources): void {
  const said = after['resources'];
  if (Array.isArray(said)) resources.changed(id, said as readonly string[]);
}

const unreadable = (tenant: Tenant, index: bigint, why: string): RescindError =>
  new RescindError('ledger-inconsistent', { detail: `entry ${index} of ${tenant.id} cannot be read: ${why}` });
