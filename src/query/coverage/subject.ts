import { decodeBase64 } from '../../contracts/index.js';
import type { ArrivalMode } from '../../log/index.js';

type Data = Readonly<Record<string, unknown>>;

/** Members that say what an event is about, where the ones before are not all there. */
const IDENTITIES = [['token'], ['iss', 'jti'], ['sha256'], ['signing_input_sha256'], ['iss', 'sid'], ['iss', 'sub'], ['iss', 'idp_client_id']] as const;
/** What else names it, where it is there. */
const COMPLEMENTS = ['tenant', 'sub', 'client_id', 'resource'] as const;

/** What an event is about, in its own words: of all that it says only names, which the ledger's readers may see. */
export function subjectOf(mode: ArrivalMode, bytes: Buffer): Data {
  const parsed = parse(bytes);
  const data = mode === 'binary' ? parsed : dataOf(parsed);
  const identity = IDENTITIES.find((members) => members.every((member) => data[member] !== undefined)) ?? [];
  if (identity[0] === 'token') return objectOf(data['token']);
  return pick(data, [...identity, ...COMPLEMENTS]);
}

/** The data of an event that came whole, plain or encoded. */
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
