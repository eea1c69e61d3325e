import {
  elementAttributes,
  isNamed,
  manifestDigest,
  MAX_EVENT_BYTES,
  MAX_EVENTS_PER_POST,
  MAX_MANIFEST_BYTES,
  parseCompactJws,
  readElementAttributes,
  readSignedBatch,
  REJECT_CODES,
  RescindError,
  SECURITY_EVENT_TYP,
  SIGNED_BATCH_MEDIA_TYPE,
  SIGNED_BATCH_TYP,
  signedHeaderProblem,
  verifySignature,
  type CompactJws,
  type ManifestClaims,
  type RejectCode,
  type SignedBatch,
} from '../../contracts/index.js';
import type { ControlState, Source } from '../../control/index.js';
import { parseStrictJson } from '../../platform/http/index.js';
import type { KeySets, VerificationKey } from '../../registry/index.js';
import { findSource, type Arrived } from '../accept/accept.js';
import type { CheckedSignature } from '../accept/check-signature.js';
import { createSourceTurns } from './source-turns.js';

/** A batch that is refused as a whole. */
export interface RefusedBatch {
  readonly code: RejectCode;
  readonly detail: string;
  /** The source that signed it; undefined if no key of a source did. */
  readonly source: Source | undefined;
}

export type OpenedBatch =
  | { readonly events: readonly Arrived[]; readonly refused?: undefined }
  | { readonly events?: undefined; readonly refused: RefusedBatch };

/**
 * Checks what sources signed, beside the event loop, before `accept` decides. Nothing is verified for a source that may not speak through the
 * door. Every method rejects with `keys-unavailable` if the keys of the source cannot be fetched now; the same bytes may be good later.
 */
export interface SignatureChecks {
  /** Checks a SET. Returns the event with the outcome. */
  checkSet(arrived: Arrived): Promise<Arrived>;
  /** Takes a signed batch apart, checks the manifest, and that it names exactly these events. */
  openBatch(body: Buffer, door: Arrived['door']): Promise<OpenedBatch>;
  /** Checks an event of a signed batch alone, by the manifest that was kept. Returns the event with the outcome. */
  checkElement(arrived: Arrived, manifest: string | undefined): Promise<Arrived>;
}

export interface SignatureChecksOptions {
  readonly state: ControlState;
  readonly keySets: Pick<KeySets, 'find' | 'holds' | 'isUnreachable'>;
  /** Records the keys of a source, which were fetched from its URI, before something that they verified is stored. */
  readonly recordKeys: (source: Source) => Promise<void>;
}

export function createSignatureChecks({ state, keySets, recordKeys }: SignatureChecksOptions): SignatureChecks {
  const turns = createSourceTurns();

  /**
   * Returns the source that signed `text`. Throws the code of a refusal, or `keys-unavailable`. `onNamed` hears of the source that `text` names, which is
   * registered and may speak through the door, before its signature is checked.
   */
  async function verify(
    text: string,
    typ: string,
    door: Arrived['door'],
    onNamed: (source: Source) => void = () => undefined,
  ): Promise<{ source: Source; jws: CompactJws }> {
    const jws = parseCompactJws(text);
    if (!jws) throw invalid('not a JWS in compact serialization');
    // The header was parsed leniently: a name that occurs twice must not mean two things.
    const header = parseStrictJson(Buffer.from(text.slice(0, text.indexOf('.')), 'base64url')) as typeof jws.header;
    const problem = signedHeaderProblem(header, typ);
    if (problem !== undefined) throw invalid(`header: ${problem}`);
    const { alg, kid } = header as { readonly alg: string; readonly kid: string };
    const source = findSource(jws.claims['iss'], { door }, state);
    onNamed(source);
    if (!(source.profile.algorithms as readonly string[]).includes(alg))
      throw invalid('header: `alg` is none of the algorithms in the profile of the source');
    const keys = await keySets.find(source, { alg, kid });
    if (keys.length === 0) throw new RescindError(keySets.isUnreachable(source) ? 'keys-unavailable' : 'unknown-key');
    const signer = await turns.take(source.id, () => findSigner(keys, alg, jws));
    if (!signer) throw invalid('no key of the source made the signature');
    // The key may have been withdrawn meanwhile.
    if (!keySets.holds(source, signer)) throw new RescindError('unknown-key');
    if (source.jwks_uri !== undefined) await recordKeys(source);
    return { source, jws };
  }

  /** Returns what `act` returns, or what becomes of the code that it refuses with. */
  async function orRefused<T>(
    act: () => Promise<T>,
    refuse: (refusal: { readonly code: RejectCode; readonly detail: string }) => T,
  ): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof RescindError) || !Object.hasOwn(REJECT_CODES, error.code)) throw error;
      const code = error.code as RejectCode;
      return refuse({ code, detail: error.detail ?? REJECT_CODES[code] });
    }
  }

  const withOutcome = async (arrived: Arrived, check: () => Promise<CheckedSignature>): Promise<Arrived> => ({
    ...arrived,
    signature: await orRefused(check, (refusal): CheckedSignature => ({ isGood: false, ...refusal })),
  });

  async function verifyManifest(manifest: string, door: Arrived['door'], onNamed?: (source: Source) => void) {
    if (manifest.length > MAX_MANIFEST_BYTES) throw new RescindError('too-large', { detail: MANIFEST_TOO_LARGE });
    const { source, jws } = await verify(manifest, SIGNED_BATCH_TYP, door, onNamed);
    const { aud, iat, elements } = jws.claims as unknown as Partial<ManifestClaims>;
    return { source, elements, signature: { isGood: true, source: source.id, aud, iat, manifest } as const };
  }

  return {
    checkSet: (arrived) =>
      arrived.bytes.length > MAX_EVENT_BYTES
        ? Promise.resolve(arrived)
        : withOutcome(arrived, async () => {
            const { source, jws } = await verify(arrived.bytes.toString('latin1'), SECURITY_EVENT_TYP, arrived.door);
            const { aud, iat } = jws.claims;
            return { isGood: true, source: source.id, aud, iat, manifest: undefined };
          }),
    async openBatch(body, door) {
      let named: Source | undefined;
      return orRefused<OpenedBatch>(
        async () => {
          const batch = readBatch(body);
          const { elements, signature } = await verifyManifest(batch.manifest, door, (source) => (named = source));
          checkManifest(elements, batch);
          const digest = manifestDigest(batch.manifest);
          const events = batch.elements.map(({ salt, bytes }, position): Arrived => {
            const headers = [CONTENT_TYPE, ...elementAttributes(digest, position, salt)];
            return { mode: 'batch', headers, bytes, door, signature };
          });
          return { events };
        },
        (refusal) => ({ refused: { ...refusal, source: named } }),
      );
    },
    checkElement: (arrived, manifest) =>
      withOutcome(arrived, async () => {
        const stated = readElementAttributes(arrived.headers);
        if (!stated || manifest === undefined) throw new RescindError('manifest-mismatch', { detail: NOT_KEPT });
        const { elements, signature } = await verifyManifest(manifest, arrived.door);
        if (!isNamed(elements, stated.position, { salt: stated.salt, bytes: arrived.bytes }))
          throw new RescindError('manifest-mismatch');
        return signature;
      }),
  };
}

const CONTENT_TYPE = ['content-type', Buffer.from(SIGNED_BATCH_MEDIA_TYPE)] as const;
const MANIFEST_TOO_LARGE = `the manifest is over ${MAX_MANIFEST_BYTES} bytes`;
const NOT_KEPT = 'no event of its batch was stored, so the manifest was not kept: the source must send the event again';

async function findSigner(
  keys: readonly VerificationKey[],
  alg: string,
  jws: CompactJws,
): Promise<VerificationKey | undefined> {
  for (const one of keys) if (await verifySignature(alg, one.key, jws)) return one;
  return undefined;
}

function readBatch(body: Buffer): SignedBatch {
  const batch = readSignedBatch(body);
  if (!batch) throw new RescindError('manifest-mismatch', { detail: NO_BATCH });
  if (batch.elements.length > MAX_EVENTS_PER_POST)
    throw new RescindError('too-large', { detail: `at most ${MAX_EVENTS_PER_POST} events a batch` });
  return batch;
}

const NO_BATCH =
  'a signed batch is a line with the manifest, then a line for each event: its salt in base64url, a space, its JSON';

function checkManifest(named: unknown, { elements }: SignedBatch): void {
  if (!Array.isArray(named) || named.length !== elements.length)
    throw new RescindError('manifest-mismatch', { detail: `${elements.length} events came with it` });
  const at = elements.findIndex((element, position) => !isNamed(named, position, element));
  if (at !== -1)
    throw new RescindError('manifest-mismatch', { detail: `position ${at}: the digest is of another event or salt` });
}

const invalid = (detail: string): RescindError => new RescindError('signature-invalid', { detail });
