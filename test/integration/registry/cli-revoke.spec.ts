import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningRescind } from '../../../src/main.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import { createCli } from './cli-fixture.js';

const IDP = 'https://idp.acme.example';
const RAS = 'https://login.chat.example';
const USERS = 1_200;
const alice = `--user iss=${IDP},sub=user-1`;
const RULE = /^rule +(\S+)$/m;

/** An organisation of 1,200 users with one application, and what `rescind revoke` says of it. */
describe('rescind revoke', () => {
  let home: string;
  let rescind: RunningRescind;
  let says: ReturnType<typeof createCli>;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    ({ rescind, home } = await startOwnRescind(cleanups, { orderWaits: { askMs: 25_000, tellMs: 25_000 } }));
    says = createCli(home);
    await says(`source create idp --uri ${IDP} --as idp --issuer ${IDP}`);
    const { secret } = JSON.parse((await says('caller create idp-events --emit idp --json')).out) as { secret: string };
    const now = Math.floor(Date.now() / 1000);
    const lines = Array.from({ length: USERS }, (_, nth) => {
      const data = {
        iss: IDP,
        jti: `gr-${nth}`,
        sub: `user-${nth}`,
        client_id: 'wiki-at-chat',
        idp_client_id: 'wiki',
        aud: [RAS],
        resource: ['https://api.chat.example'],
        scope: 'read',
        iat: now,
        exp: now + 300,
      };
      return JSON.stringify({
        specversion: '1.0',
        type: 'dev.rescind.id-jag.issued.v1',
        source: IDP,
        id: `e-${nth}`,
        time: new Date().toISOString(),
        data,
      });
    });
    expect(await says('emit -', { key: secret, stdin: lines.join('\n') })).toMatchObject({ code: 0, err: '' });
  });

  const rules = async (): Promise<number> =>
    (JSON.parse((await says('revoke list --limit 200 --json')).out) as { revocations: unknown[] }).revocations.length;

  it('shows the preview on a terminal, asks, and follows the answer', async () => {
    const before = await rules();
    for (const stdin of ['n\n', '\n', '', 'maybe\n']) {
      const refused = await says(`revoke ${alice} --reason left`, { terminal: true, stdin });
      expect(refused).toMatchObject({ code: 1, out: '' });
      expect(refused.err).toBe(`Block user user-1 of idp.acme.example until somebody lifts it.

  users        1
  live tokens  0, of which 0 used in the last hour
  grants       1
  connections  1

Order it? [y/N] Nothing was ordered.
`);
    }
    expect(await rules()).toBe(before);
    const ordered = await says(`revoke ${alice} --reason left`, { terminal: true, stdin: 'y\n' });
    const id = RULE.exec(ordered.out)![1]!;
    expect(ordered.code).toBe(0);
    expect(
      ordered.out.replace(/[\d.]+ ms/, '5 ms'),
    ).toBe(`In force after 5 ms: nobody answers active any more for user user-1 of idp.acme.example.

rule          ${id}
effect        block, until it is lifted
hits          1 user, 0 live tokens (0 used in the last hour), 1 grant, 1 connection
confirmed by  1 node, 0 guards
granted anew  is stopped too
to lift it    rescind revoke lift ${id}
`);
    expect(await says(`revoke lift ${id} --resume`)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Lifted\. What was granted before is good again/),
    });
  });

  it('does not ask with --yes, nor without a terminal', async () => {
    for (const options of [{ terminal: true }, {}]) {
      const { code, out, err } = await says(`revoke ${alice} --reason left --yes`, options);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      await says(`revoke lift ${RULE.exec(out)![1]!} --resume`);
    }
    const { code, err } = await says(`revoke ${alice} --reason left --effect revoke`);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('names the other block after a lift', async () => {
    const [first, second] = [
      await says(`revoke ${alice} --reason first`),
      await says(`revoke ${alice} --reason second`),
    ].map(({ out }) => RULE.exec(out)![1]!) as [string, string];
    const { out } = await says(`revoke lift ${first} --reason over`);
    expect(out).toMatch(
      /^Lifted, but nothing passes yet: 1 other block stops the same\. What was granted before stays revoked\.$/m,
    );
    expect(out).toContain(
      `  all of it  user user-1 of idp.acme.example: block, until it is lifted\n             rule ${second}, by admin: second\n`,
    );
    expect(out).toMatch(
      /^ {2}all of it {2}user user-1 of idp\.acme\.example: revoke of what was granted until 20\S+Z$/m,
    );
    await says(`revoke lift ${second} --resume`);
  });

  it('requires the number of a rule that hits many', async () => {
    const before = await rules();
    const refused = await says(`revoke --issuer ${IDP} --reason x`);
    expect(refused).toEqual({
      code: 1,
      out: '',
      err: `rescind: confirmation-required: the rule hits 1,200 of 1,200 users (100 %); nothing was ordered. If that is meant, add --confirm 1200 [${rescind.url}]\n`,
    });
    expect(await says(`revoke --issuer ${IDP} --reason x --confirm 12`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('`confirm` says 12; nothing was ordered. If that is meant, add --confirm 1200'),
    });
    expect(await says(`revoke preview --issuer ${IDP}`)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ {2}users +1,200$[^]*the order needs --confirm 1200\.$/m),
    });
    expect(await says(`revoke --issuer ${IDP} --reason x`, { terminal: true, stdin: 'y\n' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('type the number of users (1200): Nothing was ordered.'),
    });
    expect(await says(`revoke --all --reason x`, { terminal: true, stdin: 'y\n' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('type everything: Nothing was ordered.'),
    });
    expect(await says(`revoke --all --reason x`)).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'the rule selects everything; nothing was ordered. If that is meant, add --confirm [',
      ),
    });
    expect(await says(`revoke --issuer ${IDP} --reason x --confirm many`)).toMatchObject({ code: 2 });
    expect(await rules()).toBe(before);
    for (const [args, options] of [
      ['', { terminal: true, stdin: '1,200\n' }],
      ['--confirm 1200', {}],
      ['--confirm 1,150', { terminal: true, stdin: 'yes\n' }],
    ] as const) {
      const { code, out } = await says(`revoke --issuer ${IDP} --reason x ${args}`, options);
      expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/^hits +1,200 users/m) });
      expect(await says(`revoke lift ${RULE.exec(out)![1]!} --resume`)).toMatchObject({ code: 0 });
    }
    const all = await says(`revoke --all --reason x`, { terminal: true, stdin: 'everything\n' });
    expect(all.code).toBe(0);
    expect(await says(`revoke lift ${RULE.exec(all.out)![1]!} --resume`)).toMatchObject({ code: 0 });
  });

  it('says that a name was never seen, before and after the order, with an exit code of its own', async () => {
    const nobody = await says(`revoke --user iss=${IDP},sub=alcie --reason left`);
    expect(nobody).toMatchObject({
      code: 3,
      out: expect.stringMatching(/^In force after /),
      err: 'rescind: the rule is in force, but no event has ever named this user: check the spelling\n',
    });
    expect(JSON.parse((await says(`revoke --user iss=${IDP},sub=alcie --reason left --json`)).out)).toMatchObject({
      unknown: ['user'],
    });
    expect(
      await says(`revoke --client iss=${IDP},client_id=wkii --reason left`, { terminal: true, stdin: 'n\n' }),
    ).toMatchObject({
      code: 1,
      err: expect.stringContaining('Warning: no event has ever named this client: check the spelling.'),
    });
  });

  it('lists and shows rules for people', async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z/, 'Z');
    const { out } = await says(
      `revoke ${alice} --resource https://api.chat.example --reason 'on leave' --until ${until} --resume --on-behalf-of dana`,
    );
    const id = RULE.exec(out)![1]!;
    const list = (await says('revoke list')).out;
    expect(list).toMatch(/^ID +ORDERED +STATE +ENDED +EFFECT +SELECTS +REASON$/m);
    expect(list).toMatch(
      new RegExp(
        `^${id} +20\\S+Z +live +- +block +user user-1 of idp.acme.example, resource api.chat.example +on leave$`,
        'm',
      ),
    );
    expect(list).not.toMatch(/[{}]/);
    const shown = (await says(`revoke show ${id}`)).out;
    expect(shown.replace(/20\S+Z/g, 'T')).toBe(`rule      ${id}
state     live
in force  yes, on every node and guard
selects   user user-1 of idp.acme.example, resource api.chat.example
effect    block until T; then all of it is good again
reason    on leave
ordered   T by dana (as admin)
`);
    await says(`revoke lift ${id} --resume`);
    expect((await says(`revoke show ${id}`)).out.replace(/20\S+Z/g, 'T')).toContain(`state        lifted
ended        lifted at T by admin; it stops nothing any more
in force     no: it is lifted
`);
  });
});
