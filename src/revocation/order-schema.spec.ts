import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { RescindError } from '../contracts/index.js';
import { readLift, readOrder, readPreview } from './order-input.js';
import { LIFT, ORDER, PREVIEW } from './order-schema.js';

const NOW = 1_795_600_000;
/** Refusals that no schema can say. */
const UNSAYABLE = ['time-not-past', 'time-not-future', 'time-out-of-range', 'token-in-request'];

const ajv = new Ajv2020({ strict: false });
const [order, preview, lift] = [ORDER, PREVIEW, LIFT].map((schema) => ajv.compile(schema));

function refusal(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof RescindError) return error.code;
    throw error;
  }
}

const DIGEST = 'A'.repeat(43);
/** Strict JSON has refused U+0000 and lone surrogates before. */
const text = fc.constantFrom('a', '', ' ', '\ufeff', 'x'.repeat(512), 'x'.repeat(513), 'x'.repeat(1_025), 1, null);
const issuerAnd = (name: string) => fc.record({ iss: text, [name]: text }, { requiredKeys: [] });
const digest = fc.constantFrom(DIGEST, `${DIGEST}=`, 'B'.repeat(43), '', 1);
const identity = fc.oneof(
  issuerAnd('jti'),
  fc.record({ sha256: digest }),
  fc.record({ signing_input_sha256: digest }),
  fc.record({ sha256: digest, iss: text }),
);
const selector = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record(
      {
        token: identity,
        id_jag: identity,
        session: issuerAnd('sid'),
        user: fc.record({ iss: text, tenant: text, sub: text }, { requiredKeys: ['iss', 'sub'] }),
        client: issuerAnd('client_id'),
        agent: issuerAnd('id'),
        agent_type: text,
        resource: text,
        issuer: text,
        all: fc.constantFrom(true, false),
        other: text,
      },
      { requiredKeys: [] },
    ),
  },
  fc.constantFrom(
    { all: true },
    { issuer: 'https://idp.example' },
    { token: { sha256: DIGEST } },
    { session: { iss: 'a', sid: 'b' } },
    {},
    [],
    null,
    'x',
  ),
);
const time = fc.constantFrom(
  NOW - 60,
  NOW + 60,
  946_684_799,
  4_102_444_801,
  1.5,
  '1',
  '2h',
  '2026-11-20',
  'soon',
  null,
);
const flag = fc.constantFrom(true, false, 'true', null);
const body = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record(
      {
        selector,
        effect: fc.constantFrom('revoke', 'block', 'x', null),
        before: time,
        until: time,
        resume: flag,
        reauthenticate: flag,
        reason: text,
        on_behalf_of: text,
        confirm: fc.constantFrom(true, false, 0, 7, -1, 1.5, 'uncounted', 'x', null),
        other: text,
      },
      { requiredKeys: [] },
    ),
  },
  fc.constantFrom(null, [], 'x', 1),
);
/** One good member at a time is made another, so that half of what is tried is taken. */
const nearly = fc
  .tuple(
    fc.constantFrom(
      { selector: { issuer: 'https://idp.example' }, reason: 'a' },
      { selector: { user: { iss: 'a', sub: 'b' } }, effect: 'block', until: NOW + 60, resume: true, reason: 'a' },
      {
        selector: { client: { iss: 'a', client_id: 'b' } },
        effect: 'revoke',
        before: NOW - 60,
        reauthenticate: true,
        reason: 'a',
      },
      { selector: { token: { sha256: DIGEST } }, reason: 'a', on_behalf_of: 'dana' },
      { selector: { all: true }, reason: 'a', confirm: true },
    ),
    body,
    fc.subarray(
      ['selector', 'effect', 'before', 'until', 'resume', 'reauthenticate', 'reason', 'on_behalf_of', 'confirm'],
      { maxLength: 2 },
    ),
  )
  .map(([good, other, names]) => ({
    ...good,
    ...Object.fromEntries(Object.entries(other ?? {}).filter(([name]) => names.includes(name))),
  }));

const lifts = fc.record({ resume: flag, reason: text, on_behalf_of: text, other: text }, { requiredKeys: [] });

describe('the schema of an order in OpenAPI', () => {
  it.each([
    ['POST /v1/revocations', order!, (value: unknown) => readOrder(value, NOW)],
    ['POST /v1/revocations/preview', preview!, (value: unknown) => readPreview(value, NOW)],
    ['POST /v1/revocations/{id}/lift', lift!, (value: unknown) => readLift(value)],
  ])('%s: allows what is read, and nothing else', (_path, validate, read) => {
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof(body, nearly, lifts), (value) => {
        const code = refusal(() => read(value));
        if (code !== undefined && UNSAYABLE.includes(code)) return;
        // No body is an empty lift; it is optional there.
        if (value === null) return;
        seen[code === undefined ? 'taken' : 'refused'] += 1;
        expect({ value, code, valid: validate(value), errors: validate.errors }).toMatchObject({
          value,
          code,
          valid: code === undefined,
        });
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(10);
  });
});
