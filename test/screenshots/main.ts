import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openConsole } from '../console/open-console.js';
import startConsole from '../console/start-console.js';
import stopConsole from '../console/stop-console.js';
import { createCleanups } from '../support/cleanups.js';
import { makePictures } from './pictures.js';

const DIRECTORY = 'docs';

const cleanups = createCleanups();
await startConsole();
cleanups.push(stopConsole);
try {
  await mkdir(DIRECTORY, { recursive: true });
  for (const { name, shows, ...options } of await makePictures()) {
    const { page, faults } = await openConsole(cleanups, { motion: 'no-preference', ...options });
    await shows(page);
    await page.locator('.mantine-Skeleton-root, .mantine-Loader-root').first().waitFor({ state: 'detached' });
    if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
    const path = join(DIRECTORY, `${name}.png`);
    await page.screenshot({ path, animations: 'disabled' });
    await page.context().close();
    console.log(path);
  }
} finally {
  await cleanups.run();
}
