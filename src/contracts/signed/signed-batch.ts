import { createHash } from 'node:crypto';

/** Bytes of the salt that a producer draws for each event of a batch. */
export const ELEMENT_SALT_BYTES = 32;
/** The two bits of the last character that no byte uses are zero (RFC 4648, section 3.5), so that a salt has one spelling. */
const SALT_TEXT = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048] $/;
const SALT_TEXT_BYTES = 44;
const LINE_FEED = 0x0a;

/** An event of a signed batch: its bytes, and the salt without which nobody can confirm a guess of them by the manifest. */
export interface BatchElement {
  readonly salt: Buffer;
  readonly bytes: Buffer;
}

/** A signed batch taken apart. Nothing in it is believed yet. */
export interface SignedBatch {
  /** The manifest, a JWS in compact serialization. */
  readonly manifest: string;
  readonly elements: readonly BatchElement[];
}

/** Writes a batch: the manifest, then a line for each event, its salt in base64url, a space and its JSON. Each line ends with a line feed. */
export function writeSignedBatch({ manifest, elements }: SignedBatch): Buffer {
  const lines = elements.flatMap(({ salt, bytes }) => [`${salt.toString('base64url')} `, bytes, '\n']);
  return Buffer.concat(
    [`${manifest}\n`, ...lines].map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  );
}

/** Takes a batch apart. Returns undefined for bytes that `writeSignedBatch` would not have written, and for a batch of no event. */
export function readSignedBatch(body: Buffer): SignedBatch | undefined {
  const end = body.indexOf(LINE_FEED);
  const elements: BatchElement[] = [];
  for (let start = end + 1; start < body.length; ) {
    const next = body.indexOf(LINE_FEED, start);
    const salt = body.toString('latin1', start, Math.min(start + SALT_TEXT_BYTES, next));
    if (next === -1 || !SALT_TEXT.test(salt)) return undefined;
    elements.push({
      salt: Buffer.from(salt.trimEnd(), 'base64url'),
      bytes: body.subarray(start + SALT_TEXT_BYTES, next),
    });
    start = next + 1;
  }
  return elements.length === 0 ? undefined : { manifest: body.toString('latin1', 0, end), elements };
}

/** Computes SHA-256(salt ‖ bytes), in base64url: how the manifest names an event. */
export const elementDigest = ({ salt, bytes }: BatchElement): string =>
  createHash('sha256').update(salt).update(bytes).digest('base64url');

/** The claims of a manifest. It names events by their digests alone, so it may stay when a person is erased. */
export interface ManifestClaims {
  /** The registered URI of the source. */
  readonly iss: string;
  readonly aud: string;
  /** Epoch seconds. */
  readonly iat: number;
  /** The digest of each event, in the order of the batch. */
  readonly elements: readonly string[];
}

/** Attributes of a stored event that came in a signed batch. With the manifest they prove who signed the event. */
export const MANIFEST_ATTRIBUTE = 'rescind-manifest';
const POSITION_ATTRIBUTE = 'rescind-position';
const SALT_ATTRIBUTE = 'rescind-salt';

type Attributes = readonly (readonly [name: string, value: Buffer])[];

/** Computes the SHA-256 of a manifest as it came, under which it is kept. */
export const manifestDigest = (manifest: string): Buffer => createHash('sha256').update(manifest).digest();

/** Builds the attributes of an event. `position` counts from 0. */
export const elementAttributes = (digest: Buffer, position: number, salt: Buffer): Attributes => [
  [MANIFEST_ATTRIBUTE, digest],
  [POSITION_ATTRIBUTE, Buffer.from(String(position))],
  [SALT_ATTRIBUTE, salt],
];

/** Returns those attributes of a batch's event that say how it was signed; none for an event of an unsigned batch. */
export const signedAttributes = (attributes: Attributes): Attributes =>
  attributes.filter(([name]) => name === MANIFEST_ATTRIBUTE || name === POSITION_ATTRIBUTE || name === SALT_ATTRIBUTE);

/** Says whether a manifest names this event at this position. */
export function isNamed(elements: unknown, position: number, element: BatchElement): boolean {
  return Array.isArray(elements) && elements[position] === elementDigest(element);
}

/** Reads what `elementAttributes` wrote; undefined for other attributes. */
export function readElementAttributes(
  attributes: Attributes,
): { readonly digest: Buffer; readonly position: number; readonly salt: Buffer } | undefined {
  const of = (name: string): Buffer | undefined => attributes.find(([one]) => one === name)?.[1];
  const [digest, position, salt] = [of(MANIFEST_ATTRIBUTE), of(POSITION_ATTRIBUTE), of(SALT_ATTRIBUTE)];
  if (!digest || !position || !salt || !/^(?:0|[1-9][0-9]{0,5})$/.test(position.toString('latin1'))) return undefined;
  return { digest, position: Number(position.toString('latin1')), salt };
}
