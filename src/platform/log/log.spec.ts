import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createLog, type Log } from './log.js';
import { maskSecrets } from './masking.js';

const JWS =
  'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJodHRwczovL2lkcC5hY21lLmV4YW1wbGUifQ.c2lnbmF0dXJlLWJ5dGVz';
const JWE = 'eyJhbGciOiJkaXIifQ..aXYtaXYtaXYtaXY.Y2lwaGVydGV4dA.dGFnLXRhZw';
const OWN = 'rsk_Zm9vYmFyYmF6cXV4cXV1eA';
const OPAQUE = 'q7Hd93kLmPz0';

function recording(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog({ level: 'trace', destination: { write: (line) => lines.push(line) } }), lines };
}

describe('the log', () => {
  it('writes one JSON object a line, with a readable level and time', () => {
    const { log, lines } = recording();
    log.info({ batch: 7 }, 'appended');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^20.*Z$/),
      batch: 7,
      msg: 'appended',
    });
  });

  it.each(['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const)(
    'masks alike at %s, whichever level is logged',
    (level) => {
      for (const configured of ['trace', level]) {
        const lines: string[] = [];
        createLog({ level: configured, destination: { write: (line) => lines.push(line) } })[level](
          { token: OPAQUE },
          JWS,
        );
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toMatch(new RegExp(`${OPAQUE}|${JWS}`));
      }
    },
  );

  const planted: [string, string, (log: Log) => void][] = [
    ['a message', JWS, (log) => log.info(`refused ${JWS}`)],
    ['a message with arguments', JWS, (log) => log.info('refused %s', JWS)],
    ['a nested member', JWS, (log) => log.info({ a: { b: [{ c: JWS }] } }, 'x')],
    ["an error's message and stack", JWS, (log) => log.error({ err: new Error(`bad ${JWS}`) }, 'x')],
    ["an error's cause", JWS, (log) => log.error({ err: new Error('bad', { cause: new Error(JWS) }) }, 'x')],
    ['an encrypted token', 'Y2lwaGVydGV4dA', (log) => log.info(JWE)],
    ["one of Rescind's secrets", OWN, (log) => log.info({ note: `made ${OWN} today` }, 'x')],
    [
      'an authorization header',
      OPAQUE,
      (log) => log.info({ req: { headers: { authorization: `Bearer ${OPAQUE}` } } }, 'x'),
    ],
    ['a repeated header', OPAQUE, (log) => log.info({ headers: { 'Set-Cookie': [`sid=${OPAQUE}`, 'b=2'] } }, 'x')],
    ['a cookie', OPAQUE, (log) => log.info({ headers: { cookie: `sid=${OPAQUE}` } }, 'x')],
    ['a token by name', OPAQUE, (log) => log.info({ token: OPAQUE }, 'x')],
    ['an assertion by name', OPAQUE, (log) => log.info({ body: { assertion: OPAQUE } }, 'x')],
    [
      'a client secret by name, with a quote in it',
      OPAQUE,
      (log) => log.info({ a: { client_secret: `"${OPAQUE}"` } }, 'x'),
    ],
    ['a secret in JSON within a message', OPAQUE, (log) => log.info(JSON.stringify({ client_secret: OPAQUE, a: 1 }))],
    [
      'a secret in JSON within JSON within a message',
      OPAQUE,
      (log) => log.info(JSON.stringify(JSON.stringify({ client_secret: OPAQUE }))),
    ],
    ['a form', OPAQUE, (log) => log.info(`POST grant_type=x&client_secret=${OPAQUE}&code=${OPAQUE}&token=${OPAQUE}`)],
    ['a scheme in a message', OPAQUE, (log) => log.info(`sent Basic ${OPAQUE}`)],
    ['a password in a URL', OPAQUE, (log) => log.info(`at postgres://rescind:${OPAQUE}@127.0.0.1/rescind`)],
    ['a bound member of a child', OPAQUE, (log) => log.child({ password: OPAQUE }).info('x')],
  ];

  it.each(planted)('masks %s', (_where, secret, write) => {
    const { log, lines } = recording();
    write(log);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(secret);
    expect(lines[0]).toContain('[masked]');
    expect(() => JSON.parse(lines[0]!)).not.toThrow();
  });

  it('keeps what names a token without being one', () => {
    const { log, lines } = recording();
    const identity = {
      token: { iss: 'https://login.chat.example', jti: '4f' },
      code: 'not-found',
      token_type_hint: 'access_token',
    };
    log.info(identity, 'token 4f of client wiki at https://idp.acme.example/a.b.c was revoked');
    expect(JSON.parse(lines[0]!)).toMatchObject({
      ...identity,
      msg: 'token 4f of client wiki at https://idp.acme.example/a.b.c was revoked',
    });
  });

  it('leaves any line of JSON a line of JSON', () => {
    const key = fc.oneof(
      fc.string(),
      fc.constantFrom('token', 'authorization', 'client_secret', 'password', 'headers'),
    );
    fc.assert(
      fc.property(fc.dictionary(key, fc.oneof(fc.jsonValue(), fc.constant(JWS), fc.constant(`"${OWN}\\`))), (value) => {
        JSON.parse(maskSecrets(JSON.stringify(value)));
        JSON.parse(maskSecrets(JSON.stringify({ msg: JSON.stringify(value) })));
      }),
      { numRuns: 500 },
    );
  });

  it('writes the same problem once in a while, with how many were left out, and every other line', async () => {
    const lines: Record<string, unknown>[] = [];
    const sut = createLog({
      level: 'info',
      repeatAfterMs: 50,
      destination: { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
    });
    const problem = (message = 'refused'): Error => Object.assign(new Error(message), { code: 'ECONNREFUSED' });
    const startedAt = performance.now();
    for (let i = 0; i < 100; i += 1) {
      sut.child({ from: 'a child' }).error({ err: problem() }, 'the database is away');
      if (i === 0) for (const text of ['one', 'two']) sut.error({ err: problem(text) }, 'the database is away');
    }
    sut.error({ err: problem() }, 'another part is away');
    sut.warn({ url: 'x' }, 'without an error');
    sut.warn({ url: 'x' }, 'without an error');
    // A machine that stood still may have let the repeat interval pass.
    if (performance.now() - startedAt < 50) expect(lines).toHaveLength(6);
    expect(lines.length).toBeLessThan(50);
    while (performance.now() - startedAt < 120) await new Promise(setImmediate);
    sut.error({ err: problem() }, 'the database is away');
    const told = lines.reduce((sum, { left_out: leftOut }) => sum + Number(leftOut ?? 0), 0);
    expect(
      told +
        lines.filter(({ msg, err }) => msg === 'the database is away' && (err as Error).message === 'refused').length,
    ).toBe(101);
  });
});
