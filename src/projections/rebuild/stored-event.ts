import {
  decodeBase64,
  isOwnEventName,
  knownData,
  parseEventTime,
  parseEventType,
  RescindError,
  withOwnAudience,
  type AudienceTerms,
  type RegistryChanged,
  type TokenIssued,
  type TokenSeen,
} from '../../contracts/index.js';
import type { StoredEntry, StoredPayload } from '../../log/index.js';
import { parseStrictJson } from '../../platform/http/index.js';
import { seenToken, type OwnProjectedEvent, type ProjectedEvent } from '../event.js';

/** Resource identifiers of a source, and how it reads audiences, as its entries say them in the order of the ledger. */
export interface SourceResources {
  of(source: string): AudienceTerms;
  changed(source: string, terms: AudienceTerms): void;
}

/** `first`: as the source was registered; for events that stand before the entry of its registration, or without one. */
export function createSourceResources(first: (source: string) => AudienceTerms): SourceResources {
  const said = new Map<string, AudienceTerms>();
  return {
    of(source) {
      let terms = said.get(source);
      if (!terms) said.set(source, (terms = first(source)));
      return terms;
    },
    changed: (source, terms) => void said.set(source, terms),
  };
}

export interface Tenant {
  readonly id: string;
  readonly key: Uint8Array;
}

export type StoredEvent = { readonly said: ProjectedEvent } | { readonly own: OwnProjectedEvent };

/**
 * The event of an entry as its writers took it, without judging it again: it was accepted. Undefined for what is erased. `source.changed`
 * is heeded on the way. `seenSeq` is not in the ledger and comes as 0.
 */
export function readStoredEvent(entry: StoredEntry, tenant: Tenant, resources: SourceResources): StoredEvent | undefined {
  const { index, arrivalMs, type, source, payload } = entry;
  if (!payload) return undefined;
  const name = parseEventType(type);
  if (name === undefined) throw unreadable(tenant, index, 'its type is none of this release');
  const { id, time, data } = envelopeOf(payload);
  const atMs = typeof time === 'string' ? parseEventTime(time) : undefined;
  if (atMs === undefined || typeof data !== 'object') throw unreadable(tenant, index, 'it has no time or no data');
  const event = { name, data, tenant: tenant.id, tenantKey: tenant.key, ix: index, arrivalMs, atMs };
  if (name === 'token.seen') return { said: seenToken(data as TokenSeen, { ...event, id: id as string, seenSeq: 0n }) };
  if (isOwnEventName(name)) {
    if (name === 'source.changed') noteResources(data as RegistryChanged, resources);
    return { own: event as OwnProjectedEvent };
  }
  const terms = resources.of(source);
  // Its writers took what their release reads of `data`; this one takes what it reads.
  const read = knownData(name, data);
  const own = name === 'token.issued' ? ownAudience(read as TokenIssued, terms) : read;
  return { said: { ...event, data: own, seenSeq: 0n, source, id, sourceResources: terms.resources, at: Math.floor(atMs / 1000) } as ProjectedEvent };
}

/** As it came: in binary mode id and time are headers and the bytes are the data; in the others the data may be encoded. */
function envelopeOf({ mode, headers, bytes }: StoredPayload): Readonly<Record<string, unknown>> {
  const parsed = parseStrictJson(bytes);
  if (mode !== 'binary') {
    const { data_base64: encoded, ...envelope } = parsed as Readonly<Record<string, unknown>>;
    return typeof encoded === 'string' ? { ...envelope, data: parseStrictJson(decodeBase64(encoded) ?? Buffer.alloc(0)) } : envelope;
  }
  const header = (name: string): string | undefined => headers.find(([one]) => one === name)?.[1].toString('utf8');
  return { data: parsed, id: header('ce_id'), time: header('ce_time') };
}

/** A change of the source may stand a little behind events that were accepted under it: an accepted token keeps its audience. */
function ownAudience(data: TokenIssued, terms: AudienceTerms): TokenIssued {
  const own = withOwnAudience(data, terms);
  return own.aud.length === 0 ? data : own;
}

function noteResources({ id, after }: RegistryChanged, resources: SourceResources): void {
  const { resources: said, profile = {} } = after as Partial<AudienceTerms>;
  if (Array.isArray(said)) resources.changed(id, { resources: said as readonly string[], profile });
}

const unreadable = (tenant: Tenant, index: bigint, why: string): RescindError =>
  new RescindError('ledger-inconsistent', { detail: `entry ${index} of ${tenant.id} cannot be read: ${why}` });
