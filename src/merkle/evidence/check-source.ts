import { Buffer } from 'node:buffer';
import { parseAttributes } from '../commitment.js';
import { leafHash, type Entry } from '../entry.js';
import type { VerifierKey } from '../note/keys.js';
import { sha256 } from '../sha256.js';
import {
  checkEntry,
  checkPath,
  checkPayload,
  checkSignature,
  NO_PAYLOAD,
  notChecked,
  Wrong,
  type Passed,
} from './checks.js';
import type { Evidence, EvidencePayload, EvidenceSigned } from './evidence-file.js';

/**
 * Checks one signature of a JWS by a public JWK; undefined where that cannot be done. MUST refuse a key that does not fit the algorithm, and
 * algorithms that sign nothing.
 */
export type VerifyJws = (jws: {
  readonly alg: string;
  readonly jwk: Readonly<Record<string, unknown>>;
  /** ASCII: the first two parts of the compact form. */
  readonly signingInput: string;
  readonly signature: Buffer;
}) => boolean | Promise<boolean | undefined>;

type Members = Readonly<Record<string, unknown>>;

/** How an event came signed, by what its entry commits to. */
type Form =
  | { readonly kind: 'set' }
  | { readonly kind: 'element'; readonly digest: Buffer; readonly position: Buffer; readonly salt: Buffer };

const SET_MEDIA_TYPE = 'application/secevent+jwt';
const SOURCE_CHANGED = 'dev.rescind.source.changed.v1';
/** `<log origin>/<tenant uuid>/<incarnation>` */
const ORIGIN = /\/([0-9a-f-]{36})\/[1-9][0-9]*$/;
const POSITION = /^(?:0|[1-9][0-9]{0,5})$/;

/**
 * Checks that the source of an entry signed its event, with a key that the ledger holds for it in an earlier entry. An unsigned event, and a
 * file that leaves out what this needs, pass as not checked.
 */
export async function checkSource(
  evidence: Evidence,
  entry: Entry,
  logKeys: readonly VerifierKey[],
  verifyJws: VerifyJws | undefined,
): Promise<Passed<undefined>> {
  const { payload, signed } = evidence;
  const form = payload === null ? undefined : formOf(payload);
  if (payload !== null && form === undefined) {
    if (signed !== undefined) throw new Wrong('the file holds a signature, and the event came unsigned');
    return notChecked('the event came unsigned');
  }
  if (payload === null || form === undefined) return NO_PAYLOAD;
  if (!signed) return notChecked('the event came signed, and the file does not hold the keys of its source');
  if (form.kind === 'set' && signed.manifest !== null)
    throw new Wrong('the file holds a manifest, and the event came alone');
  if (verifyJws === undefined) return notChecked('this checker does not know the signatures of sources');
  const { tenant, said, keysAt } = checkKeys(evidence, signed, entry, logKeys);
  const jws = form.kind === 'set' ? payload.bytes.toString('latin1') : manifestOf(signed, form.digest);
  const { header, claims, signingInput, signature } = readJws(jws, form.kind);
  const jwk = jwkOf(said, header['kid']);
  const alg = String(header['alg']);
  const isGood = await verifyJws({ alg, jwk, signingInput, signature });
  if (isGood === undefined) return notChecked(`this checker cannot check signatures of ${alg}`);
  if (!isGood) throw new Wrong(`the key ${String(header['kid'])} of the source did not make the signature`);
  if (claims['aud'] !== `urn:rescind:${tenant}`)
    throw new Wrong('the source signed for another ledger: `aud` is not that of its tenant');
  const { uri } = said;
  if (typeof uri === 'string' && claims['iss'] !== uri) throw new Wrong(`the source is ${uri}, and another one signed`);
  if (form.kind === 'element') checkElement(form, claims, payload);
  const how = form.kind === 'set' ? 'as a SET' : `at position ${String(form.position)} of a batch`;
  return [
    undefined,
    `signed ${how} by the source ${String(claims['iss'])} with key ${String(header['kid'])} (${alg}), which entry ${keysAt} registers`,
  ];
}

function formOf({ attributes }: EvidencePayload): Form | undefined {
  const stated = new Map(parseAttributes(attributes) ?? []);
  const [digest, position, salt] = ['rescind-manifest', 'rescind-position', 'rescind-salt'].map((name) =>
    stated.get(name),
  );
  if (digest && position && salt) return { kind: 'element', digest, position, salt };
  const contentType = stated.get('content-type')?.toString('latin1').split(';', 1)[0]!.trim().toLowerCase();
  return contentType === SET_MEDIA_TYPE ? { kind: 'set' } : undefined;
}

/** Checks the entry that holds the keys of the source. Returns the source as it says it. */
function checkKeys(
  { proof }: Evidence,
  { keys }: EvidenceSigned,
  signed: Entry,
  logKeys: readonly VerifierKey[],
): { readonly tenant: string; readonly said: Members; readonly keysAt: bigint } {
  const entry = within('the entry with the keys', () => {
    const [{ checkpoint }] = checkSignature(keys, logKeys);
    const [found] = checkEntry(keys);
    checkPayload(keys, found);
    checkPath(keys, checkpoint, leafHash(keys.entry));
    return { ...found, origin: checkpoint.origin };
  });
  const [{ checkpoint }] = checkSignature({ proof }, logKeys);
  const [, tenant = ''] = ORIGIN.exec(checkpoint.origin) ?? [];
  if (entry.origin !== checkpoint.origin) throw new Wrong('the entry with the keys is of another ledger');
  if (entry.type !== SOURCE_CHANGED || entry.source !== tenant)
    throw new Wrong(`the entry with the keys is no ${SOURCE_CHANGED} of Rescind`);
  if (entry.index >= signed.index) throw new Wrong('the entry with the keys is not earlier than the event');
  const { data } = membersOf(keys.payload.bytes.toString('utf8')) ?? {};
  const { id, after } = isMembers(data) ? data : {};
  if (id !== signed.source || !isMembers(after)) throw new Wrong('the entry with the keys is of another source');
  return { tenant, said: after, keysAt: entry.index };
}

function within<T>(what: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof Wrong ? new Wrong(`${what}: ${error.message}`) : error;
  }
}

function jwkOf({ jwks }: Members, kid: unknown): Members {
  const keys: unknown = isMembers(jwks) ? jwks['keys'] : undefined;
  const jwk: unknown = Array.isArray(keys) ? keys.find((key) => isMembers(key) && key['kid'] === kid) : undefined;
  if (typeof kid !== 'string' || !isMembers(jwk))
    throw new Wrong('the source has no key of the name that the signature gives');
  return jwk;
}

function manifestOf({ manifest }: EvidenceSigned, digest: Buffer): string {
  if (manifest === null) throw new Wrong('the manifest of the batch is missing');
  if (!sha256(Buffer.from(manifest)).equals(digest))
    throw new Wrong('the manifest is not the one that the entry commits to');
  return manifest;
}

const TYP = { set: 'secevent+jwt', element: 'rescind-batch+jwt' } as const;

function readJws(text: string, kind: Form['kind']) {
  const [header, claims, signature, ...others] = text.split('.');
  const [head, body] = [header, claims].map((part) => membersOf(bytesOf(part ?? '').toString('utf8')));
  if (head === undefined || body === undefined || signature === undefined || others.length > 0)
    throw new Wrong('the signature is no JWS in compact serialization');
  const typ = String(head['typ']).toLowerCase();
  // A key may sign other things than events.
  if (typ !== TYP[kind] && typ !== `application/${TYP[kind]}`)
    throw new Wrong(`\`typ\` of the signature is not ${TYP[kind]}`);
  return {
    header: head,
    claims: body,
    signingInput: `${header}.${claims}`,
    signature: bytesOf(signature),
  };
}

function checkElement(
  { position, salt }: Extract<Form, { readonly kind: 'element' }>,
  { elements }: Members,
  { bytes }: EvidencePayload,
): void {
  const at = position.toString('latin1');
  const digest = base64url(sha256(Buffer.concat([salt, bytes])));
  if (!POSITION.test(at) || !Array.isArray(elements) || elements[Number(at)] !== digest)
    throw new Wrong(`the manifest names another event at position ${at}`);
}

/** A browser's `Buffer` does not know base64url (RFC 4648, section 5). */
const bytesOf = (text: string): Buffer => Buffer.from(text.replaceAll('-', '+').replaceAll('_', '/'), 'base64');
const base64url = (bytes: Buffer): string =>
  bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

function membersOf(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMembers(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
