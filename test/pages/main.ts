import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, startEmbeddedPostgres } from '../../src/platform/index.js';
import { makeQuestionsPage, PAGE } from './questions-page.js';

const home = await mkdtemp(join(tmpdir(), 'rescind-page-'));
const log = createLog({ level: 'error' });
const postgres = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log });
try {
  const { text } = await makeQuestionsPage({ databaseUrl: postgres.url, log });
  await writeFile(PAGE, text);
  console.log(`${PAGE} is written`);
} finally {
  await postgres.stop();
  await rm(home, { recursive: true, force: true });
}
process.exit(0);
