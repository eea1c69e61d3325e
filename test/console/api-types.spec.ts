import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { consoleUrl } from './open-console.js';

const TYPES = 'src/console/api/schema.d.ts';

it('the types of the API are those of the document that is served (`npm run console:types` writes them)', async () => {
  const document = await (await fetch(`${consoleUrl()}/openapi.json`)).text();
  const types = execFileSync(process.execPath, ['test/support/api-types.mjs'], { input: document, encoding: 'utf8' });
  if (process.env['WRITE_API_TYPES'] === 'yes') writeFileSync(TYPES, types);
  expect(readFileSync(TYPES, 'utf8') === types).toBe(true);
});
