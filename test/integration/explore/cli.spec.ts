import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { namesOf, startTwoTenants } from '../query/two-tenants.js';
import { createCli } from '../registry/cli-fixture.js';

const { user, api } = namesOf('acme');

let world: Awaited<ReturnType<typeof startTwoTenants>>;
let home: string;
beforeAll(async () => {
  world = await startTwoTenants();
  home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-cli-`));
}, 120_000);
afterAll(async () => {
  await rm(home, { recursive: true });
  await world.stop();
});

const says = (args: string) => createCli(home)(args, { url: world.url, key: world.planted.acme.keys.audit });

describe('rescind explore', () => {
  it('prints groups as a table, and says what it read', async () => {
    const { code, out, err } = await says('explore --by user,resource --measure calls,records --from 30d --top 10');
    expect([code, out.split('\n')[0]!.split(/\s{2,}/)]).toEqual([0, ['USER', 'RESOURCE', 'CALLS', 'RECORDS']]);
    expect(out).toContain(user);
    expect(err).toMatch(/^As of index \d+, .*; read \d+ uses in \d+ ms\.\n$/);
  });

  it('writes JSON and CSV', async () => {
    const json = await says('explore --by resource --from 30d -o json');
    expect([json.code, JSON.parse(json.out).items[0].group.resource.uri]).toEqual([0, api]);
    const csv = await says('explore --by resource --measure calls,last_use --from 30d -o csv');
    expect([csv.code, csv.out.split('\r\n')[0], csv.err]).toEqual([0, 'resource,calls,last_use', '']);
  });

  it('compares with the window before', async () => {
    const { code, out } = await says('explore --by resource --from 7d --compare 7d');
    expect([code, out.split('\n')[0]!.split(/\s{2,}/)]).toEqual([
      0,
      ['RESOURCE', 'CALLS', 'CALLS BEFORE', 'CALLS DELTA', 'CALLS RATIO'],
    ]);
  });

  it('keeps what meets the conditions', async () => {
    const calls = async (where: string): Promise<number> => {
      const { out } = await says(`explore --from 30d -o json ${where}`);
      return JSON.parse(out).items[0].values.calls;
    };
    const all = await calls('');
    expect(await calls('--where user=alice-of-acme')).toBeGreaterThan(0);
    expect((await calls('--where outcome=denied')) + (await calls('--where outcome!=denied'))).toBe(all);
  });

  it.each([
    ['explore --by usr', 1],
    ['explore --where user', 2],
    ['explore --where user=nobody', 6],
    ['explore --compare yesterday', 2],
    ['explore --top many', 2],
  ])('%s ends with %i', async (args, code) => {
    const said = await says(args);
    expect([said.code, said.out]).toEqual([code, '']);
    expect(said.err).toMatch(/^rescind: /);
  });
});
