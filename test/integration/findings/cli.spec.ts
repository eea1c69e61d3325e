import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import { createCli } from '../registry/cli-fixture.js';

const cleanups = cleanUp(afterAll);
let says: ReturnType<typeof createCli>;
beforeAll(async () => {
  const { home } = await startOwnRescind(cleanups);
  says = createCli(home);
});

it('rescind findings shows what the running service found, and nothing before', async () => {
  expect(await says('findings')).toMatchObject({ code: 0, out: 'Nothing was found.\n' });
  await says('caller create second --admin');
  let id: string | undefined;
  while (id === undefined) {
    id = (JSON.parse((await says('findings --json')).out) as { items: { id: string }[] }).items[0]?.id;
    await delay(50);
  }
  const { out } = await says('findings --kind administration --from 1h');
  expect(out).toMatch(/^HIGH +\d{4}-\d{2}-\d{2}T.* administration, once$/m);
  expect(out).toContain('admin made second an administrator.');
  expect(out).toContain(`more: rescind findings show ${id}`);
  const shown = await says(`findings show ${id}`);
  expect(shown.out).toContain('What to do next\n  Check that it was meant.');
  expect((await says('findings --state resolved')).out).toBe('Nothing was found.\n');
  expect((await says('findings --kind ghost')).code).not.toBe(0);
  // It is about no user, client, agent or resource.
  expect((await says('findings --tag sensitive')).out).toBe('Nothing was found.\n');
  expect((await says('findings --tag Sensitive')).err).toContain('`tag` is up to 20 tags');

  const { out: said } = await says(`findings acknowledge ${id} --reason meant --on-behalf-of dana`);
  expect(said).toMatch(/^acknowledged, by dana \(admin\), .*: meant\nledger entry \d+\n$/);
  expect((await says('findings')).out).not.toContain(id);
  expect((await says('findings --state acknowledged,muted')).out).toMatch(/acknowledged, by dana \(admin\).*: meant/);
  expect((await says(`findings false-alarm ${id}`)).code).not.toBe(0);
  expect((await says(`findings mute ${id} --until 1d --reason noise`)).out).toMatch(/^muted until .*: noise\n/);
  expect((await says(`findings history ${id}`)).out).toMatch(
    /^muted until .*: noise {2}\(entry \d+\)\nacknowledged, by .*: meant {2}\(entry \d+\)\n$/,
  );
  expect((await says(`findings reopen ${id}`)).out).toMatch(/^open, by admin/);
  expect((await says('findings')).out).toContain(id);
  expect((await says(`findings resolve ${id}`)).out).toMatch(/^resolved, by admin/);
  expect((await says('findings --state resolved')).out).toContain(id);

  const { items: history } = JSON.parse((await says(`findings history ${id} --json`)).out);
  const [resolved, acknowledged] = [history.at(0).entry, history.at(-1).entry];
  expect((await says(`findings --as-of ${acknowledged}`)).out).toContain(`more: rescind findings show ${id}`);
  expect((await says(`findings --as-of ${Number(acknowledged) + 1}`)).out).toBe('Nothing was found.\n');
  expect((await says(`findings show ${id} --as-of ${Number(resolved) + 1}`)).out).toContain(', once  resolved\n');
  expect((await says(`findings show ${id} --as-of 1`)).code).not.toBe(0);
});
