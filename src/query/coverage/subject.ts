import { claimsBytes, decodeBase64 } from '../../contracts/index.js';
import type { ArrivalMode } from '../../log/index.js';

type Data = Readonly<Record<string, unknown>>;

/** Members that identify the subject of an event. The first row whose members are all present counts. */
const IDENTITIES = [
  ['token'],
  ['iss', 'jti'],
  ['sha256'],
  ['signing_input_sha256'],
  ['iss', 'sid'],
  ['iss', 'sub'],
  ['iss', 'idp_client_id'],
] as const;
/** Members of `token` that name it. */
const TOKEN_NAMES = ['iss', 'jti', 'sha256', 'signing_input_sha256'] as const;
/** Members that are added if they are present. */
const COMPLEMENTS = ['tenant', 'sub', 'client_id', 'resource'] as const;

/**
 * Names the subject of an event in the event's own words. It returns only names, which readers of the ledger may see.
 */
export function subjectOf(mode: ArrivalMode, bytes: Buffer): Data {
  const parsed = parse(mode === 'set' ? claimsBytes(bytes.toString('latin1')) : bytes);
  const data = mode === 'binary' ? parsed : mode === 'set' ? onlyEvent(parsed) : dataOf(parsed);
  const identity = IDENTITIES.find((members) => members.every((member) => data[member] !== undefined)) ?? [];
  if (identity[0] === 'token') return pick(objectOf(data['token']), TOKEN_NAMES);
  return pick(data, [...identity, ...COMPLEMENTS]);
}

/** Returns the data of a SET, which holds one event. */
const onlyEvent = ({ events }: Data): Data => objectOf(Object.values(objectOf(events))[0]);

/** Returns the data of a structured event, plain or base64. */
function dataOf({ data, data_base64: encoded }: Data): Data {
  return typeof encoded === 'string' ? parse(decodeBase64(encoded) ?? Buffer.alloc(0)) : objectOf(data);
}

const pick = (data: Data, members: readonly string[]): Data =>
  Object.fromEntries(members.flatMap((member) => (data[member] === undefined ? [] : [[member, data[member]]])));

const objectOf = (value: unknown): Data => (typeof value === 'object' && value !== null ? (value as Data) : {});

function parse(bytes: Buffer): Data {
  try {
    return objectOf(JSON.parse(bytes.toString('utf8')));
  } catch {
    return {};
  }
}
