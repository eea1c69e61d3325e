import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { EXAMPLES, makeQuestionsPage, PAGE } from './questions-page.js';

const home = await mkdtemp(join(tmpdir(), 'rescind-page-'));
const log = createLog({ level: 'error' });
const postgres = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log });
try {
  const { text, examples } = await makeQuestionsPage({ databaseUrl: postgres.url, log });
  await writeFile(PAGE, text);
  await writeFile(EXAMPLES, examples);
  console.log(`${PAGE} and ${EXAMPLES} are written`);
} finally {
  await postgres.stop();
  await rm(home, { recursive: true, force: true });
}
process.exit(0);
