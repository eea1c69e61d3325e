import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { TABLES, tenantDirectory } from '../../../src/archive/index.js';
import { access, API, fromChat, fromIdp, idJag, token } from '../../support/stage.js';
import { createArchiveWorld, duck, type ArchiveWorld, MANY_SEGMENTS_MS } from './archive-fixture.js';

const PAGE = await readFile(new URL('../../../src/archive/FORMAT.md', import.meta.url), 'utf8');

jest.setTimeout(MANY_SEGMENTS_MS);

/** Days of the page's week, counted from today. */
const DAYS: Readonly<Record<string, number>> = { '2026-11-22': -5, '2026-11-23': -1, '2026-11-30': 2 };
const dayIn = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** Column and type of each row of the table under a heading. */
function described(heading: string): readonly (readonly [string, string])[] {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(heading))!;
  return [...section.matchAll(/^\| `(\w+)` \| (\w+(?:\[\])?)/gm)].map(([, name, type]) => [name!, type!] as const);
}

describe('FORMAT.md', () => {
  it('names the columns of uses in their order, with their types', () =>
    expect(described('`uses`')).toEqual(TABLES.uses.columns.map(({ name, type }) => [name, type])));

  it('names every column of every other table', () => {
    for (const name of ['late', 'token', 'entity', 'route', 'address'] as const)
      for (const column of TABLES[name].columns) expect(PAGE).toContain(`\`${column.name}\``);
  });

  describe('for DuckDB', () => {
    let world: ArchiveWorld;
    beforeAll(async () => {
      world = await createArchiveWorld();
    });
    afterAll(() => world.stop());

    it('has statements that run and answer', async () => {
      await world.stage.emit(fromChat('access.allowed', access({ operation: 'export', records: 40 })));
      await world.stage.emit(fromChat('token.issued', token()), fromIdp('id-jag.issued', idJag()));
      await world.query('UPDATE entry SET arrival = arrival - 86400000::bigint * 3');
      // Ranges so short that the use and what it belongs to are in two of them: `late` tells who it was.
      await world.archive(1n);
      const root = tenantDirectory(world.root, world.stage.tenant);
      const [, section] = PAGE.split('### DuckDB');
      const statements = /```sql\n([\s\S]*?)```/
        .exec(section!)![1]!
        .replaceAll('ROOT', root)
        .replaceAll(/2026-11-\d\d/g, (day) => dayIn(DAYS[day]!));
      const answer = await duck(...statements.split(/;\n/).filter((text) => text.trim() !== ''));
      expect(answer).toEqual([{ usr: 'alice', resource: API, exports: '1', records: '40' }]);
    });
  });
});
