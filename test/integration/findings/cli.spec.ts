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
});
