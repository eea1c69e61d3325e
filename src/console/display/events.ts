import type { Answer } from '../api/client.js';
import { jsonText } from './names.js';

type Payload = Pick<NonNullable<Answer<'EntryAnswer'>['payload']>, 'mode' | 'bytes' | 'attributes'>;

/** Tells what people ask of an event: when it happened, and whom and what it names. */
export interface EventFacts {
  /** The event's own time. */
  readonly time?: string;
  /** Names that the event states, by what they name. */
  readonly names: readonly (readonly [what: string, name: string])[];
  /** The token that the event is about, if it says nobody else whose it is. */
  readonly token?: { readonly iss: string; readonly jti: string } | { readonly sha256: string };
  /** The whole event, as text for people. */
  readonly text: string;
}

type Members = Readonly<Record<string, unknown>>;

/** Members of an event's data that name somebody or something, the acting party last. */
const NAMES: readonly (readonly [member: string, what: string])[] = [
  ['sub', 'user'],
  ['client_id', 'client'],
  ['idp_client_id', 'client at the IdP'],
  ['resource', 'resource'],
  ['operation', 'operation'],
  ['route', 'route'],
  ['scope', 'scopes'],
  ['client_address', 'address'],
  ['status', 'status'],
  ['records', 'records'],
  ['reason', 'reason'],
  ['finding', 'finding'],
  ['caller', 'caller'],
];

/** Reads the payload of an entry of the ledger. */
export function readEvent({ mode, bytes, attributes }: Payload): EventFacts {
  const said = mode === 'set' ? claimsOf(textOf(bytes)) : textOf(bytes);
  const parsed = membersOf(said);
  const { data, time } = partsOf(mode, parsed, attributes);
  const token = asMembers(data['token']);
  const names = [
    ...NAMES.flatMap(([member, what]) => shown(what, data[member])),
    ...shown('agent', asMembers(data['agent'])['id'] ?? asMembers(data['act'])['sub']),
    ...shown('token', data['jti'] ?? token['jti'] ?? token['sha256']),
  ];
  return {
    ...(typeof time === 'string' ? { time } : {}),
    names,
    ...(data['sub'] === undefined ? tokenOf(token) : {}),
    text: Object.keys(parsed).length === 0 ? said : jsonText(parsed, 2),
  };
}

/** Finds the data and the time of an event: in a SET they are the one member of `events`, and `toe` in seconds. */
function partsOf(mode: Payload['mode'], parsed: Members, attributes: string): { data: Members; time: unknown } {
  if (mode === 'binary') return { data: parsed, time: headerOf(attributes, 'ce-time') };
  if (mode !== 'set') return { data: asMembers(parsed['data']), time: parsed['time'] };
  const toe = parsed['toe'];
  return {
    data: asMembers(Object.values(asMembers(parsed['events']))[0]),
    time: typeof toe === 'number' ? new Date(toe * 1_000).toISOString() : undefined,
  };
}

/** Reads the claims of a JWS. */
const claimsOf = (jws: string): string => textOf((jws.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'));

function tokenOf({ iss, jti, sha256 }: Members): Pick<EventFacts, 'token'> {
  if (typeof iss === 'string' && typeof jti === 'string') return { token: { iss, jti } };
  return typeof sha256 === 'string' ? { token: { sha256 } } : {};
}

const shown = (what: string, value: unknown): [string, string][] => {
  const values = [value].flat().filter((one) => typeof one === 'string' || typeof one === 'number');
  return values.length === 0 ? [] : [[what, values.join(' ')]];
};

const asMembers = (value: unknown): Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {};

function membersOf(text: string): Members {
  try {
    return asMembers(JSON.parse(text));
  } catch {
    return {};
  }
}

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
const textOf = (base64: string): string => new TextDecoder().decode(bytesOf(base64));

/** Finds a header among those of a message: names and values by turns, each after its length in four bytes. */
function headerOf(attributes: string, wanted: string): string | undefined {
  const bytes = bytesOf(attributes);
  const view = new DataView(bytes.buffer);
  const texts: string[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint32(at);
    texts.push(new TextDecoder().decode(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return texts.find((_, at) => at % 2 === 1 && texts[at - 1] === wanted);
}
