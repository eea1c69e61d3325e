import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { makeLogKey } from '../../../src/log/publish/log-key.js';
import { findSigners, formatVerifierKey, parseNote, parseVerifierKey } from '../../../src/merkle/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind, type OwnRescind } from '../../support/rescind.js';
import { createCli } from '../registry/cli-fixture.js';

let own: OwnRescind;
let tenant: string;
let auditor: string;
const cleanups = cleanUp(afterAll);

beforeAll(async () => {
  own = await startOwnRescind(cleanups);
  const admin = createRescindAdmin(own.rescind.url, own.rescind.adminKey!);
  auditor = (await admin.post<{ secret: string }>('/v1/callers', { id: 'auditor', roles: { audit: {} } })).secret;
  const { rows } = await own.database.pool.query<{ tenant: string }>('SELECT tenant FROM ledger_head');
  tenant = rows[0]!.tenant;
  while ((await fetch(`${own.rescind.url}/ledger/${tenant}/checkpoint`)).status !== 200) await delay(20);
});

const says = (args: string, options: Parameters<ReturnType<typeof createCli>>[1] = {}) =>
  createCli(own.home)(args, {
    ...options,
    more: { DATABASE_URL: own.database.url, KAFKA_BROKERS: 'none', LOG_LEVEL: 'silent' },
  });

const listed = async () =>
  (await own.database.pool.query('SELECT public_key, until FROM ledger_key ORDER BY since')).rows;

async function changes(): Promise<number> {
  const { rows } = await own.database.pool.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM entry WHERE type = 'dev.rescind.log-key.changed.v1'",
  );
  return rows[0]!.n;
}

it('shows what would change, asks, and changes nothing until it is agreed to', async () => {
  const before = await listed();
  const preview = await says('ledger rotate-key --preview');
  expect(preview).toMatchObject({ code: 0, err: '' });
  expect(preview.out).toMatch(
    /^Ledger: rescind\.local\/\S+\/1\nKey that signs now: rescind\.local\/\S+\nNew key: made now/,
  );
  expect(JSON.parse((await says(`ledger rotate-key ${tenant} --preview --json`)).out)).toMatchObject({ to: null });
  const declined = await says(`ledger rotate-key --reason 'a spec'`, { terminal: true, stdin: 'yes\n' });
  expect(declined).toMatchObject({ code: 1, out: '', err: expect.stringContaining('Nothing was changed.') });
  expect(await says('ledger rotate-key')).toMatchObject({ code: 2 });
  expect(await says(`ledger rotate-key nobody --reason 'a spec'`)).toMatchObject({
    code: 1,
    err: expect.stringContaining('no tenant is named nobody'),
  });
  expect([await listed(), await changes()]).toEqual([before, 0]);
});

it('changes the key of a running service, which signs with both and shows both', async () => {
  const changed = await says(`ledger rotate-key default --reason 'the yearly change' --json`, {
    terminal: true,
    stdin: 'rotate\n',
  });
  expect(changed).toMatchObject({ code: 0, err: expect.stringContaining('Key that signs now: ') });
  const { from, to, until, entry } = JSON.parse(changed.out) as Record<string, string>;
  const keys = [from!, to!].map((key) => parseVerifierKey(key)!);
  let signers: readonly string[] = [];
  while (signers.length < 2) {
    const note = await (await fetch(`${own.rescind.url}/ledger/${tenant}/checkpoint`)).text();
    signers = [...findSigners(parseNote(note)!, keys)!.keys()].map(formatVerifierKey);
  }
  expect(signers).toEqual([from, to]);
  const shown = await says('ledger', { url: own.rescind.url, key: auditor });
  expect(shown.out).toMatch(/^key 1 +\S+, from \S+ until \S+\nkey 2 +\S+, since \S+$/m);
  expect([from!, to!, until!.slice(0, -1)].filter((text) => !shown.out.includes(text))).toEqual([]);
  const told = await fetch(`${own.rescind.url}/v1/entries/${entry}?evidence=true`, {
    headers: { authorization: `Bearer ${auditor}` },
  });
  expect(await told.json()).toMatchObject({ type: 'dev.rescind.log-key.changed.v1' });
  const evidence = join(own.home, 'evidence.json');
  expect((await says(`evidence ${entry} --out ${evidence}`, { url: own.rescind.url, key: auditor })).code).toBe(0);
  for (const key of [from, to]) expect((await says(`verify ${evidence} --key ${key}`)).code).toBe(0);
  expect(await says('fsck')).toMatchObject({ code: 0, out: expect.stringContaining('Everything agrees.') });
});

it('needs a given key to change it again so soon', async () => {
  const refused = await says(`ledger rotate-key --reason 'a spec'`);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('give the new key') });
  const file = join(own.home, 'new.pem');
  await writeFile(file, makeLogKey());
  expect(await says(`ledger rotate-key --reason 'a spec' --key-file ${file}`)).toMatchObject({ code: 0 });
  expect(await says(`ledger rotate-key --reason 'a spec' --key-file ${file}`)).toMatchObject({
    code: 1,
    err: expect.stringContaining('is or was a key of this ledger'),
  });
  expect([(await listed()).length, await changes()]).toEqual([3, 2]);
});
