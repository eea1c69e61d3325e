import { afterEach, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { consoleUrl, openConsole, signInPath } from './open-console.js';

const cleanups = cleanUp(afterEach);

describe('somebody who has not signed in', () => {
  it('is led to the sign-in, and from there back to the page', async () => {
    const { page, search } = await openConsole(cleanups, { path: '/findings?severity=high', signedIn: false });
    await page.getByRole('link', { name: 'Sign in' }).waitFor();
    expect(search().get('return_to')).toBe('/console/findings?severity=high');
    expect(await page.getByRole('link', { name: 'Sign in' }).getAttribute('href')).toBe(
      `/console/sign-in?${new URLSearchParams({ return_to: '/console/findings?severity=high' })}`,
    );
  });

  it('is told when there is no identity provider', async () => {
    const { page } = await openConsole(cleanups, { path: '/welcome', signedIn: false });
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByText('No identity provider is set up for people.').waitFor();
  });

  it('is let in once by a link, stays in, and signs out', async () => {
    const path = await signInPath();
    const { page, faults } = await openConsole(cleanups, { path, signedIn: false });
    // Nobody who looks at the screen or the history can copy the code.
    await page.waitForURL(`${consoleUrl()}/console/welcome`);
    await page.getByRole('button', { name: 'Open the console as the administrator' }).click();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByText('admin at default').waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in' }).waitFor();
    expect(await page.context().cookies()).toEqual([]);
    await page.goto(`${consoleUrl()}/console${path}`);
    await page.getByRole('button', { name: 'Open the console as the administrator' }).click();
    await page.getByText('The link does not open the console').waitFor();
    expect(faults).toEqual([]);
  });

  it('keeps the session alive by no page that is left open', async () => {
    const { page } = await openConsole(cleanups, {
      path: await signInPath(),
      signedIn: false,
      before: (opened) => opened.clock.install(),
    });
    const unattended: boolean[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/v1/coverage')) unattended.push('x-rescind-unattended' in request.headers());
    });
    await page.getByRole('button', { name: 'Open the console as the administrator' }).click();
    await page.getByRole('table', { name: 'What is new' }).waitFor();
    expect(unattended).not.toContain(true);
    // Home asks again by itself, unless it still waits for the last answer.
    while (!unattended.includes(true)) {
      await page.clock.fastForward(31_000);
      await page.evaluate('new Promise(requestAnimationFrame)');
    }
  });
});
