import {
  claimsBytes,
  decodeBase64,
  isOwnEventName,
  knownData,
  parseEventTime,
  parseEventType,
  RescindError,
  setEnvelope,
  withOwnAudience,
  type AudienceTerms,
  type EventName,
  type RegistryChanged,
  type TokenIssued,
  type TokenSeen,
} from '../../contracts/index.js';
import type { StoredEntry, StoredPayload } from '../../log/index.js';
import { parseStrictJson } from '../../platform/http/index.js';
import { seenToken, type OwnProjectedEvent, type ProjectedEvent } from '../event.js';

/** Follows the resource identifiers of sources, and how each reads audiences, through the `source.changed` entries of the ledger. */
export interface SourceResources {
  of(source: string): AudienceTerms;
  changed(source: string, terms: AudienceTerms): void;
}

/** `first` returns the terms as the source was registered: for events before the entry of its registration, or without one. */
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
 * Reads the event of an entry as the projections' writers expect it. It is not judged again, because it was accepted. Returns undefined
 * if the payload was erased and nothing stands for it. A `source.changed` also updates `resources`. `seenSeq` is not in the ledger and is returned as 0.
 */
export function readStoredEvent(
  entry: StoredEntry,
  tenant: Tenant,
  resources: SourceResources,
): StoredEvent | undefined {
  const { index, arrivalMs, source } = entry;
  const read = readEntryEvent(entry, tenant.id);
  if (!read) return undefined;
  const { name, id, data, atMs } = read;
  const event = { name, data, tenant: tenant.id, tenantKey: tenant.key, ix: index, arrivalMs, atMs };
  if (name === 'token.seen') return { said: seenToken(data as TokenSeen, { ...event, id, seenSeq: 0n }) };
  if (isOwnEventName(name)) {
    if (name === 'source.changed') noteResources(data as RegistryChanged, resources);
    return { own: event as OwnProjectedEvent };
  }
  const terms = resources.of(source);
  // Each release takes from `data` the members that it knows.
  const known = knownData(name, data);
  const own = name === 'token.issued' ? ownAudience(known as TokenIssued, terms) : known;
  return {
    said: {
      ...event,
      data: own,
      seenSeq: 0n,
      source,
      id,
      sourceResources: terms.resources,
      at: Math.floor(atMs / 1000),
    } as ProjectedEvent,
  };
}

/** The event of an entry, as its source said it. */
export interface EntryEvent {
  readonly name: EventName;
  readonly id: string;
  readonly data: object;
  /** Time of the event, epoch milliseconds. */
  readonly atMs: number;
}

/**
 * Reads the event of an entry; if it names an erased person, the event that stands for it. Returns undefined if neither is left. `data` may have members
 * that this release does not know.
 */
export function readEntryEvent(
  { index, type, payload, remainder }: StoredEntry,
  tenant: string,
): EntryEvent | undefined {
  if (!payload && remainder === undefined) return undefined;
  const name = parseEventType(type);
  if (name === undefined) throw unreadable(tenant, index, 'its type is none of this release');
  const { id, time, data } = remainder === undefined ? envelopeOf(payload!) : (JSON.parse(remainder) as Envelope);
  const atMs = typeof time === 'string' ? parseEventTime(time) : undefined;
  if (atMs === undefined || typeof data !== 'object') throw unreadable(tenant, index, 'it has no time or no data');
  return { name, id: id as string, data: data as object, atMs };
}

type Envelope = Readonly<Record<string, unknown>>;

/** Reads the envelope. A SET's claims are the envelope. In binary mode, id and time are headers and the bytes are the data; in the other modes the data may be in `data_base64`. */
function envelopeOf({ mode, headers, bytes }: StoredPayload): Envelope {
  if (mode === 'set') return setEnvelope(parseStrictJson(claimsBytes(bytes.toString('latin1'))));
  const parsed = parseStrictJson(bytes);
  if (mode !== 'binary') {
    const { data_base64: encoded, ...envelope } = parsed as Envelope;
    return typeof encoded === 'string'
      ? { ...envelope, data: parseStrictJson(decodeBase64(encoded) ?? Buffer.alloc(0)) }
      : envelope;
  }
  const header = (name: string): string | undefined => headers.find(([one]) => one === name)?.[1].toString('utf8');
  return { data: parsed, id: header('ce_id'), time: header('ce_time') };
}

/** Keeps only the source's audiences. The entry of a source's change may follow events accepted under it, so a token never loses all its audiences. */
function ownAudience(data: TokenIssued, terms: AudienceTerms): TokenIssued {
  const own = withOwnAudience(data, terms);
  return own.aud.length === 0 ? data : own;
}

function noteResources({ id, after }: RegistryChanged, resources: SourceResources): void {
  const { resources: said, profile = {} } = after as Partial<AudienceTerms>;
  if (Array.isArray(said)) resources.changed(id, { resources: said as readonly string[], profile });
}

const unreadable = (tenant: string, index: bigint, why: string): RescindError =>
  new RescindError('ledger-inconsistent', { detail: `entry ${index} of ${tenant} cannot be read: ${why}` });
