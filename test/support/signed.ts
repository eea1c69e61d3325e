import { createHash, randomBytes } from 'node:crypto';
import { CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import type { CloudEvent } from '../../src/contracts/index.js';

/** A producer's key. Signs with jose, which shares no code with what checks here. */
export interface ProducerKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly privateJwk: JWK;
  readonly publicJwk: JWK;
}

export async function makeProducerKey(kid: string, alg = 'ES256'): Promise<ProducerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const named = { kid, alg };
  return {
    alg,
    kid,
    privateKey,
    privateJwk: { ...(await exportJWK(privateKey)), ...named },
    publicJwk: { ...(await exportJWK(publicKey)), ...named },
  };
}

export const sign = (
  { alg, kid, privateKey }: Pick<ProducerKey, 'alg' | 'kid' | 'privateKey'>,
  typ: string,
  claims: object,
  header: object = {},
): Promise<string> =>
  new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg, kid, typ, ...header })
    .sign(privateKey);

/** The claims of a SET, written by its description in src/ingest/signed-events.md. */
export const claimsOf = ({ source, type, id, time, data }: CloudEvent, aud: string): Record<string, unknown> => ({
  iss: source,
  aud,
  iat: Math.floor(Date.now() / 1000),
  jti: id,
  toe: Date.parse(time) / 1000,
  events: { [`https://rescind.dev/schemas/${type}.json`]: data },
});

export const setOf = (key: ProducerKey, event: CloudEvent, aud: string, over: object = {}, header: object = {}) =>
  sign(key, 'secevent+jwt', { ...claimsOf(event, aud), ...over }, header);

/** A line of a signed batch. */
export interface Line {
  readonly salt: string;
  readonly text: string;
}

export const linesOf = (events: readonly (CloudEvent | string)[]): Line[] =>
  events.map((event) => ({
    salt: randomBytes(32).toString('base64url'),
    text: typeof event === 'string' ? event : JSON.stringify(event),
  }));

export const digestOfLine = ({ salt, text }: Line): string =>
  createHash('sha256').update(Buffer.from(salt, 'base64url')).update(text).digest('base64url');

export const manifestOf = (
  key: ProducerKey,
  iss: string,
  aud: string,
  lines: readonly Line[],
  over: object = {},
  header: object = {},
): Promise<string> =>
  sign(
    key,
    'rescind-batch+jwt',
    { iss, aud, iat: Math.floor(Date.now() / 1000), elements: lines.map(digestOfLine), ...over },
    header,
  );

export const bodyOf = (manifest: string, lines: readonly Line[]): string =>
  `${[manifest, ...lines.map(({ salt, text }) => `${salt} ${text}`)].join('\n')}\n`;

export async function batchOf(
  key: ProducerKey,
  events: readonly (CloudEvent | string)[],
  iss: string,
  aud: string,
): Promise<string> {
  const lines = linesOf(events);
  return bodyOf(await manifestOf(key, iss, aud, lines), lines);
}
