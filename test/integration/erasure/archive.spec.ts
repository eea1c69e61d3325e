import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { countNameFiles, findDamaged, rewriteNameFiles } from '../../../src/archive/index.js';
import { advance, createErasures, type RunOptions } from '../../../src/erasure/index.js';
import { contentOf, createOwnTeller } from '../../../src/ingest/index.js';
import { createForgetting } from '../../../src/registry/index.js';
import {
  createArchiveWorld,
  MANY_SEGMENTS_MS,
  readFileRows,
  submitSingly,
  type ArchiveWorld,
} from '../archive/archive-fixture.js';
import { IDP, fromIdp } from '../../support/stage.js';
import { testLog } from '../../support/services.js';
import { ALICE, aliceEvents, aliceJag, LOCAL } from './erasure-fixture.js';

let world: ArchiveWorld;
beforeAll(async () => {
  world = await createArchiveWorld();
  await world.stage.emit(...aliceEvents());
  await submitSingly(world, { seed: 20261201, lineages: 30 });
  await world.stage.emit(fromIdp('id-jag.issued', aliceJag({ jti: 'gr-again' })));
  await world.archive();
}, MANY_SEGMENTS_MS);
afterAll(() => world.stop());

/** Names in the archive's files, read as anybody's engine reads them. */
async function namesInFiles(): Promise<string> {
  const { files } = await world.manifest();
  const rows = [];
  for (const file of files.filter(({ name }) => name === 'entity')) rows.push(...(await readFileRows(world, file)));
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

describe('an erasure in the archive', () => {
  it(
    'writes the files that hold the names anew, and no other file',
    async () => {
      const { stage, root } = world;
      const { pool } = stage.database;
      const { state } = stage.follower;
      const before = await world.manifest();
      expect(await namesInFiles()).toContain(ALICE);
      expect(await namesInFiles()).toContain(LOCAL);
      const options: RunOptions = {
        pool,
        contentOf,
        tell: createOwnTeller({ name: 'person.erased', state, appender: stage.appender, pool }),
        forget: createForgetting(stage),
        rewriteNameFiles: (tenant, ids) => rewriteNameFiles({ pool, root, tenant, ids }),
      };
      const erasures = createErasures({
        ...options,
        tenants: () => state.tenants(),
        countNameFiles: (tenant, ids) => countNameFiles({ pool, tenant, ids }),
        log: testLog(),
      });
      const asker = { id: 'admin', tenant: stage.tenant };
      const user = { iss: IDP, sub: ALICE };
      const preview = await erasures.preview(asker, { user });
      await erasures.order(asker, { user, reason: 'request 2026-117' });
      while ((await advance(options, state.tenant(stage.tenant)!)) === 'moved');

      const names = await namesInFiles();
      for (const name of [ALICE, LOCAL]) expect(names).not.toContain(name);
      expect(names).toContain('erased person ');
      for (const path of await world.files()) {
        const bytes = await readFile(path);
        for (const name of [ALICE, LOCAL]) expect({ path, has: bytes.includes(name) }).toEqual({ path, has: false });
      }
      const after = await world.manifest();
      const changed = after.files.filter(({ sha256 }, nth) => sha256 !== before.files[nth]!.sha256);
      expect(changed.map(({ name }) => name)).toEqual(Array.from({ length: preview.archive_files }, () => 'entity'));
      expect(changed.length).toBeGreaterThan(0);
      expect(after.files.map(({ rows }) => rows)).toEqual(before.files.map(({ rows }) => rows));
      expect(await findDamaged({ pool, root })).toEqual([]);
    },
    MANY_SEGMENTS_MS,
  );
});
