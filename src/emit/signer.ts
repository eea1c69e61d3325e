import { createPrivateKey, randomBytes, type KeyObject } from 'node:crypto';
import {
  ELEMENT_SALT_BYTES,
  elementDigest,
  MAX_EVENT_BYTES,
  MAX_MANIFEST_BYTES,
  RescindError,
  SECURITY_EVENT_TYP,
  setClaims,
  SIGNED_BATCH_TYP,
  SIGNING_ALGORITHMS,
  signCompactJws,
  suitsAlgorithm,
  writeSignedBatch,
  type CloudEvent,
  type ManifestClaims,
  type SigningAlgorithm,
} from '../contracts/index.js';
import { checkAttribute } from './build-event.js';

/** Options of `createSigner`. */
export interface SignerOptions {
  /** The registered URI of the source. */
  readonly source: string;
  /** The `audience` that `rescind source show` prints: the tenant that the events are meant for. */
  readonly audience: string;
  /**
   * The private key as a JWK (RFC 7517), with a `kid` under which the source has the public key registered. An RSA key needs an `alg`. The
   * `alg` must be among the algorithms of the source's profile.
   */
  readonly jwk: Readonly<Record<string, unknown>>;
}

/** Signs what one source sends. Signatures are computed beside the event loop. */
export interface Signer {
  /** Writes an event as a SET (RFC 8417), for `application/secevent+jwt`. Rejects with `too-large` if the SET is over 256 KiB. */
  signEvent(event: CloudEvent): Promise<string>;
  /** Writes events, each as its JSON on one line, as a signed batch, for `application/rescind-batch`. At most 1,000 fit one manifest. */
  signBatch(events: readonly string[]): Promise<Buffer>;
}

const MS = 1_000;

/** Creates a signer. Throws `TypeError` for a key that cannot sign or that nobody could find by its `kid`; the message holds nothing of the key. */
export function createSigner({ source, audience, jwk }: SignerOptions): Signer {
  checkAttribute('source', source);
  if (typeof audience !== 'string' || audience === '') throw new TypeError('`audience` must name the tenant');
  const { kid } = jwk;
  if (typeof kid !== 'string' || kid === '') throw new TypeError('`jwk` needs a `kid`');
  const key = importPrivate(jwk);
  const alg = algorithmOf(jwk, key);
  const header = (typ: string) => ({ alg, kid, typ });
  const now = (): number => Math.floor(Date.now() / MS);

  return {
    async signEvent(event) {
      if (event.source !== source) throw new TypeError('the event is of another source than the signer');
      const set = await signCompactJws(
        header(SECURITY_EVENT_TYP),
        JSON.stringify(setClaims(event, audience, now())),
        key,
      );
      if (set.length > MAX_EVENT_BYTES)
        throw new RescindError('too-large', { detail: `a signed event is at most ${MAX_EVENT_BYTES} bytes` });
      return set;
    },
    async signBatch(events) {
      const salts = randomBytes(events.length * ELEMENT_SALT_BYTES);
      const elements = events.map((text, nth) => ({
        salt: salts.subarray(nth * ELEMENT_SALT_BYTES, (nth + 1) * ELEMENT_SALT_BYTES),
        bytes: Buffer.from(text),
      }));
      const claims: ManifestClaims = { iss: source, aud: audience, iat: now(), elements: elements.map(elementDigest) };
      const manifest = await signCompactJws(header(SIGNED_BATCH_TYP), JSON.stringify(claims), key);
      if (manifest.length > MAX_MANIFEST_BYTES)
        throw new RescindError('too-large', { detail: 'too many events for one manifest' });
      return writeSignedBatch({ manifest, elements });
    },
  };
}

function importPrivate(jwk: SignerOptions['jwk']): KeyObject {
  try {
    return createPrivateKey({ key: jwk as never, format: 'jwk' });
  } catch {
    throw new TypeError('`jwk` must be a private key');
  }
}

const ALGORITHM_OF_CURVE: ReadonlyMap<unknown, SigningAlgorithm> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
  ['Ed25519', 'EdDSA'],
]);

function algorithmOf({ alg: stated, crv }: SignerOptions['jwk'], key: KeyObject): SigningAlgorithm {
  const alg = SIGNING_ALGORITHMS.find((one) => one === (stated ?? ALGORITHM_OF_CURVE.get(crv)));
  if (alg === undefined || !suitsAlgorithm(alg, key))
    throw new TypeError(`\`jwk\` needs an \`alg\` that fits it, of ${SIGNING_ALGORITHMS.join(', ')}`);
  return alg;
}
