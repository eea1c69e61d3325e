import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { openConsole } from '../console/open-console.js';
import { CRM, IDP, startOwnConsole, tokenOf, type OwnConsole } from './own-console.js';
import { placesOf, routesOf, visitIn } from '../console/routes.js';

const cleanups = cleanUp(afterEach);
const ofAll = cleanUp(afterAll);
const FILL_MS = 120_000;
/** The detection lets a resource take its time to hear of a rule. */
const BEYOND_GRACE_MS = 120_000;

/** Everybody may choose such a name for what is theirs. */
const NAMES = [
  '<script>window.executed = 1</script>',
  `"><img src=x onerror="window.executed = 1">`,
  'javascript:window.executed=1',
  'admin\u202Etxt.nimda\u2066\u2069',
  `${'long'.repeat(123)}-of-512-bytes-at-all`.slice(0, 512),
  '👨‍👩‍👧‍👦 family 🏳️‍🌈',
  'ad\u200Bmin\uFEFF\u00AD',
  'first\nsecond\r\n\tthird',
  `quote"'\`\\&amp;&lt;`,
  '{{7*7}} ${7*7} <%= 7*7 %> #{7*7} %s %n',
  'מנהל מערכת',
  'المسؤول 123',
];

let own: OwnConsole;
beforeAll(async () => {
  own = await startOwnConsole(ofAll, { env: { FINDINGS_LEARN_DAYS: '0' }, resources: NAMES });
  await Promise.all(NAMES.map(fillWith));
  // The directory takes no control characters.
  await own.admin.post('/v1/directory/import', NAMES.filter((name) => !/\p{Cc}/u.test(name)).flatMap(entriesOf));
  // Each name is that of a user who was served after a rule.
  for (let found = 0; found < NAMES.length; await delay(100))
    found = (await items('/v1/findings?kind=use-after-rule&limit=100')).length;
}, FILL_MS);

/** Makes everything that a stranger names bear this name. */
async function fillWith(name: string, nth: number): Promise<void> {
  const jti = `${nth} ${name}`.slice(0, 512);
  const agent = { id: name, type: name };
  const token = tokenOf(name, name) as { readonly id_jag: object };
  await own.say('token.issued', { ...token, jti, aud: [name], id_jag: { ...token.id_jag, agent } });
  const reason = `because of ${name}`;
  await own.admin.post('/v1/revocations', { selector: { user: { iss: IDP, sub: name } }, reason });
  const call = { token: { iss: CRM.as, jti }, operation: 'read', route: name };
  const later = new Date(Date.now() + BEYOND_GRACE_MS);
  await own.say('access.allowed', { ...call, status: 200 }, later);
  await own.say('access.denied', { ...call, status: 403, error: name, reason: name }, later);
}

const entriesOf = (name: string) => [
  { kind: 'user', iss: IDP, id: name, display_name: name, team: name },
  { kind: 'client', iss: IDP, id: name, display_name: name, owner: name, team: name },
  { kind: 'agent', iss: IDP, id: name, owner: name, team: name },
  { kind: 'resource', id: name, owner: name, team: name },
];

const items = async (path: string): Promise<readonly { readonly id: string }[]> =>
  (await own.admin.get<{ items: readonly { readonly id: string }[] }>(path)).items;

/** Further places of pages that show more by their URL. */
const MORE: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  '/': async () => ['/?since=24h'],
  '/map': async () => ['/map?show=graph&teams=true'],
  '/stop': async () =>
    NAMES.map((sub) => `/stop?${new URLSearchParams({ user: JSON.stringify({ iss: IDP, sub }), reason: sub })}`),
  '/findings': async () =>
    (await items('/v1/findings?kind=use-after-rule&limit=100')).map(({ id }) => `/findings?finding=${id}`),
};

/** Says what is wrong with how a page shows names; runs in the page. */
const WRONG = `(() => {
  const wrong = [];
  if (window.executed !== undefined) wrong.push('a name was executed');
  if (document.documentElement.scrollWidth > window.innerWidth) wrong.push('the page scrolls sideways');
  const hidden = /(?!\\n)[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]/u;
  const rightToLeft = /[\\p{Script=Hebrew}\\p{Script=Arabic}]/u;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const parent = node.parentElement;
    if (parent.closest('script, style, textarea')) continue;
    if (hidden.test(node.data)) wrong.push('not escaped: ' + JSON.stringify(node.data.slice(0, 80)) + ' in ' + parent.outerHTML.slice(0, 120));
    if (rightToLeft.test(node.data) && !parent.closest('bdi, pre, code, textarea'))
      wrong.push('not isolated: ' + node.data.slice(0, 80) + ' in ' + parent.outerHTML.slice(0, 120));
  }
  for (const { href, target } of document.querySelectorAll('a'))
    if (href && !/^https?:/.test(href)) wrong.push('a link to ' + href);
  for (const element of document.querySelectorAll('[title]'))
    if (hidden.test(element.title)) wrong.push('not escaped in a title: ' + element.title);
  return wrong;
})()`;

/** Opens a page that leaves no dialog open, and tells what was said in it. */
async function openWatched(width: number) {
  const { page, faults } = await openConsole(cleanups, { width, ...own.at });
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  return { page, faults, dialogs };
}

/** On a phone everything is visited, and on a wide screen one thing of each kind, which has further columns there. */
describe.each([
  [390, Infinity],
  [1280, 1],
])('names that strangers choose, at %d pixels', (width, most) => {
  it(
    'are never executed, never misread, and break no page',
    async () => {
      const opened = await Promise.all([openWatched(width), openWatched(width)]);
      const pages = opened.map(({ page }) => page);
      const places: string[] = [];
      for (const route of await routesOf(pages[0]!))
        places.push(
          ...(await placesOf(route, own.admin.get)).slice(0, most),
          ...((await MORE[route]?.()) ?? []).slice(0, most),
        );
      const wrong: string[] = [];
      await visitIn(pages, places, async (page, path) => {
        wrong.push(...(await page.evaluate<string[]>(WRONG)).map((one) => `${path}: ${one}`));
      });
      expect(wrong).toEqual([]);
      for (const { faults, dialogs } of opened) expect([faults, dialogs]).toEqual([[], []]);
    },
    FILL_MS,
  );
});

describe('the search', () => {
  it('shows each of them as what it is', async () => {
    const { page, faults } = await openConsole(cleanups, { width: 390, ...own.at });
    await page.getByRole('button', { name: 'Search' }).click();
    for (const name of NAMES) {
      const asked = page.waitForResponse(/\/v1\/search/);
      await page.getByRole('textbox', { name: 'Search' }).fill(name.split(/[\n\r]/)[0]!.slice(0, 100));
      await asked;
      await page.getByRole('dialog').getByRole('button').first().waitFor();
      expect(await page.evaluate(WRONG)).toEqual([]);
    }
    expect(faults).toEqual([]);
  });
});
