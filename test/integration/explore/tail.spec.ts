import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createEngine } from '../../../src/explore/engine/engine.js';
import { createTails } from '../../../src/explore/tail/tail.pg.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { runMigrations } from '../../../src/platform/postgres/index.js';
import { createAsk } from '../../../src/projections/index.js';
import { createMigratedDatabase, testLog } from '../../support/services.js';

const OWN = '0aaaaaaa-0000-4000-8000-000000000001';
const OTHER = '0aaaaaaa-0000-4000-8000-000000000002';

it('a tenant’s questions open the directory of this tenant, and no other', async () => {
  const home = await mkdtemp(join(tmpdir(), 'rescind-explore-tail-'));
  const directoryOf = (tenant: string): string => join(home, 'archive', tenant);
  for (const tenant of [OWN, OTHER]) {
    await mkdir(directoryOf(tenant), { recursive: true });
    await writeFile(join(directoryOf(tenant), 'file'), tenant);
  }
  const database = await createMigratedDatabase();
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
  const engine = createEngine({ log: testLog() });
  const tails = createTails({ engine, directoryOf, home });
  try {
    const ask = createAsk({ pool: database.pool, now: () => Math.floor(Date.now() / 1000) });
    const { room } = await ask(OWN, (snapshot) => tails.enter(OWN).ready(snapshot, 0n));
    const read = (path: string) =>
      engine.run(room, { sql: 'SELECT content FROM read_text($1)', values: [{ type: 'VARCHAR', value: path }] });
    expect(await read(join(directoryOf(OWN), 'file'))).toEqual([[OWN]]);
    await expect(read(join(directoryOf(OTHER), 'file'))).rejects.toThrow();
    await expect(read(join(directoryOf(OWN), '..', OTHER, 'file'))).rejects.toThrow();
  } finally {
    await engine.stop();
    await tails.stop();
    await database.drop();
    await rm(home, { recursive: true });
  }
});
