import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { elementAttributes, manifestDigest } from '../../contracts/index.js';
import {
  formatEvidence,
  verifyEvidence,
  type Evidence,
  type EvidencePayload,
  type VerifyJws,
} from '../../merkle/index.js';
import {
  linesOf,
  makeProducerKey,
  manifestOf,
  setOf,
  sign,
  type Line,
  type ProducerKey,
} from '../../../test/support/signed.js';
import {
  AUDIENCE,
  EVENT,
  keysOf,
  LOG_KEYS,
  logKeyOf,
  logOf,
  payloadOf,
  setPayload,
  signedBy,
  SOURCE,
  TENANT,
  told,
  URI,
} from '../../../test/support/signed-evidence.js';
import { verifyJws } from './verify-jws.js';

function elementOf(manifest: string, lines: readonly Line[], position: number): EvidencePayload {
  const { salt, text } = lines[position]!;
  const stated = elementAttributes(manifestDigest(manifest), position, Buffer.from(salt, 'base64url'));
  return payloadOf('batch', [['content-type', 'application/rescind-batch'], ...stated], text);
}

const verdict = async (evidence: Evidence, keys = LOG_KEYS) =>
  (await verifyEvidence(formatEvidence(evidence), keys, [], verifyJws)).at(-1)!;
const wrong = (detail: RegExp) => ({ step: 'source', ok: false, detail: expect.stringMatching(detail) });
const event = {
  specversion: '1.0',
  type: EVENT,
  source: URI,
  id: 'e-1',
  time: '2026-12-01T10:00:00Z',
  data: { sub: 'alice' },
};

let es: ProducerKey;
let forged: ProducerKey;
let lines: readonly Line[];
let manifest: string;
/** A SET, and an event of a batch. */
let set: Evidence;
let element: Evidence;

beforeAll(async () => {
  es = await makeProducerKey('chat-1');
  forged = await makeProducerKey('chat-1');
  lines = linesOf(['alice', 'bob', 'carol'].map((sub) => JSON.stringify({ ...event, id: sub, data: { sub } })));
  manifest = await manifestOf(es, URI, AUDIENCE, lines);
  set = signedBy(keysOf([es]), setPayload(await setOf(es, event as never, AUDIENCE)), null);
  element = signedBy(keysOf([es]), elementOf(manifest, lines, 1), manifest);
});

describe('what a source signed holds', () => {
  it.each(['ES256', 'EdDSA', 'RS256', 'PS256'])('as a SET by %s', async (alg) => {
    const key = await makeProducerKey('k', alg);
    const evidence = signedBy(keysOf([es, key]), setPayload(await setOf(key, event as never, AUDIENCE)), null);
    expect(await verdict(evidence)).toMatchObject({
      step: 'source',
      ok: true,
      detail: `signed as a SET by the source ${URI} with key k (${alg}), which entry 0 registers`,
    });
  });

  it('in a batch, and says nothing of the others', async () => {
    expect(await verdict(element)).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/^signed at position 1 of a batch/),
    });
    const text = Buffer.from(formatEvidence(element)).toString();
    const decoded = [
      text,
      ...[...text.matchAll(/[A-Za-z0-9+/_-]{40,}/g)].map(([part]) => Buffer.from(part, 'base64').toString('latin1')),
    ];
    expect(decoded.some((part) => part.includes('"sub":"bob"'))).toBe(true);
    for (const other of ['alice', 'carol']) expect(decoded.filter((part) => part.includes(other))).toEqual([]);
  });
});

describe('not checked', () => {
  it.each<[what: string, detail: RegExp, () => Evidence]>([
    ['an unsigned event', /came unsigned/, () => logOf([keysOf([es]), told(payloadOf('structured', [], '{}'))]).second],
    ['a signature that is left out', /does not hold the keys/, () => ({ ...set, signed: null })],
    ['a payload that is left out', /holds no payload/, () => ({ ...set, payload: null, signed: null })],
  ])('%s', async (_what, detail, evidence) => {
    expect(await verdict(evidence())).toMatchObject({
      step: 'source',
      ok: true,
      checked: false,
      detail: expect.stringMatching(detail),
    });
  });

  it.each<[what: string, verify: VerifyJws | undefined]>([
    ['without cryptography for sources', undefined],
    ['with an algorithm that the checker does not know', async () => undefined],
  ])('%s', async (_what, verify) => {
    expect((await verifyEvidence(formatEvidence(set), LOG_KEYS, [], verify)).at(-1)).toMatchObject({
      step: 'source',
      ok: true,
      checked: false,
      detail: expect.stringMatching(/^not checked/),
    });
  });
});

describe('one flipped bit is named', () => {
  const flipped = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at]! ^= 1;
    return copy;
  };

  it('in each byte of the manifest', async () => {
    for (let at = 0; at < manifest.length; at++) {
      const changed = flipped(Buffer.from(manifest), at).toString('latin1');
      const evidence = { ...element, signed: { ...element.signed!, manifest: changed } };
      expect(await verdict(evidence)).toMatchObject(wrong(/manifest is not the one that the entry commits to/));
    }
  });

  it.each(['salt', 'attributes', 'bytes'] as const)(
    'in each byte of the %s of the entry with the keys',
    async (member) => {
      const { keys } = element.signed!;
      for (let at = 0; at < keys.payload[member].length; at++) {
        const payload = { ...keys.payload, [member]: flipped(keys.payload[member], at) };
        const evidence = { ...element, signed: { manifest, keys: { ...keys, payload } } };
        expect(await verdict(evidence)).toMatchObject(wrong(/^the entry with the keys: salt, attributes and bytes/));
      }
    },
  );

  it('in each byte of that entry, and of its proof', async () => {
    const { keys } = element.signed!;
    for (let at = 0; at < keys.entry.length; at++) {
      const evidence = { ...element, signed: { manifest, keys: { ...keys, entry: flipped(keys.entry, at) } } };
      expect(await verdict(evidence)).toMatchObject(wrong(/^the entry with the keys: /));
    }
    for (let at = 0; at < 32; at++) {
      const proof = { ...keys.proof, path: [flipped(keys.proof.path[0]!, at)] };
      const evidence = { ...element, signed: { manifest, keys: { ...keys, proof } } };
      expect(await verdict(evidence)).toMatchObject(wrong(/^the entry with the keys: the path/));
    }
  });
});

describe('the first wrong thing is named', () => {
  const other = (jws: string): Evidence => signedBy(keysOf([es]), setPayload(jws), null);

  it.each<[what: string, detail: RegExp, () => Promise<Evidence> | Evidence]>([
    [
      'another key under the same name',
      /did not make the signature/,
      async () => other(await setOf(forged, event as never, AUDIENCE)),
    ],
    [
      'a key that the source does not have',
      /no key of the name/,
      async () => other(await setOf(await makeProducerKey('x'), event as never, AUDIENCE)),
    ],
    ['another audience', /another ledger/, async () => other(await setOf(es, event as never, 'urn:rescind:other'))],
    [
      'another source',
      /another one signed/,
      async () => other(await setOf(es, { ...event, source: 'https://x.example' } as never, AUDIENCE)),
    ],
    ['a token that the key signed', /`typ`/, async () => other(await sign(es, 'at+jwt', { iss: URI, aud: AUDIENCE }))],
    ['a batch’s manifest in place of an event', /`typ`/, () => other(manifest)],
    ['a text that is no JWS', /no JWS/, () => other('e30.e30')],
    [
      '`alg` none',
      /did not make/,
      async () => {
        const [, claims, signature] = (await setOf(es, event as never, AUDIENCE)).split('.');
        const header = Buffer.from(JSON.stringify({ alg: 'none', kid: 'chat-1', typ: 'secevent+jwt' })).toString(
          'base64url',
        );
        return other(`${header}.${claims}.${signature}`);
      },
    ],
    [
      'another position',
      /names another event at position 2/,
      () => {
        const [content, digest, , salt] = [
          ['content-type', 'x'] as const,
          ...elementAttributes(manifestDigest(manifest), 1, Buffer.from(lines[1]!.salt, 'base64url')),
        ];
        const attributes = [content!, digest!, ['rescind-position', '2'] as const, salt!];
        return signedBy(keysOf([es]), payloadOf('batch', attributes, lines[1]!.text), manifest);
      },
    ],
    [
      'other bytes',
      /names another event at position 1/,
      () => {
        const changed = lines.map(({ salt }) => ({ salt, text: '{"sub":"mallory"}' }));
        return signedBy(keysOf([es]), elementOf(manifest, changed, 1), manifest);
      },
    ],
    [
      'a missing manifest',
      /manifest of the batch is missing/,
      () => ({ ...element, signed: { ...element.signed!, manifest: null } }),
    ],
    ['a manifest beside a SET', /came alone/, () => ({ ...set, signed: { ...set.signed!, manifest } })],
    [
      'a signature beside an unsigned event',
      /came unsigned/,
      () => ({
        ...logOf([keysOf([es]), told(payloadOf('structured', [], '{}'))]).second,
        signed: set.signed!,
      }),
    ],
    [
      'keys of another source',
      /keys is of another source/,
      async () => signedBy(keysOf([es], { id: TENANT }), setPayload(await setOf(es, event as never, AUDIENCE)), null),
    ],
    [
      'keys that a source said itself',
      /no dev\.rescind\.source\.changed\.v1 of Rescind/,
      async () =>
        signedBy({ ...keysOf([es]), source: SOURCE }, setPayload(await setOf(es, event as never, AUDIENCE)), null),
    ],
    [
      'keys in another kind of entry',
      /no dev\.rescind\.source\.changed\.v1 of Rescind/,
      async () =>
        signedBy({ ...keysOf([es]), type: EVENT }, setPayload(await setOf(es, event as never, AUDIENCE)), null),
    ],
    [
      'keys that came later',
      /not earlier/,
      async () => {
        const { first, second } = logOf([told(setPayload(await setOf(es, event as never, AUDIENCE))), keysOf([es])]);
        return { ...first, signed: { manifest: null, keys: second } };
      },
    ],
  ])('%s', async (_what, detail, make) => {
    expect(await verdict(await make())).toMatchObject(wrong(detail));
  });

  it('keys of another ledger, though its key was given', async () => {
    const origin = `log.example/${SOURCE}/1`;
    const { first } = logOf([keysOf([es]), told(payloadOf('structured', [], '{}'))], origin);
    const evidence = { ...set, signed: { manifest: null, keys: first } };
    expect(await verdict(evidence, [...LOG_KEYS, logKeyOf(origin)])).toMatchObject(wrong(/of another ledger/));
    expect(await verdict(evidence)).toMatchObject(wrong(/^the entry with the keys: .*no key of this log/));
  });
});

it('has one spelling', async () => {
  const file = formatEvidence(element);
  const { keys, manifest: jws } = (JSON.parse(file) as { signed: { keys: object; manifest: string } }).signed;
  const swapped = JSON.stringify({ ...JSON.parse(file), signed: { keys, manifest: jws } });
  expect((await verifyEvidence(`${swapped}\n`, LOG_KEYS)).at(-1)).toMatchObject({ step: 'file', ok: false });
  expect(createHash('sha256').update(manifest).digest()).toEqual(manifestDigest(manifest));
});
