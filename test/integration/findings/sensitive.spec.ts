import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CRM, DAY, IDP, issued, jag, MONDAY, startWorld, used, WIKI, type Holder, type World } from './world.js';

const ADMIN = 'acme-admin';
const KIND = 'new-at-sensitive-resource';

let world: World;
let clock = MONDAY + 5 * DAY;
/** Five days of its own for each spec. */
const later = (): number => (clock += 5 * DAY);
beforeAll(async () => {
  world = await startWorld();
  await world.tell(issued('first', MONDAY, { user: 'ann', client: 'old' }), used('first', MONDAY + 10));
});
afterAll(() => world.stop());
beforeEach(async () => {
  await world.pool.query('TRUNCATE directory');
});

async function put(path: string, body: object): Promise<void> {
  const { status, body: said } = await world.send('PUT', `/v1/directory/${path}`, ADMIN, body);
  if (status !== 200) throw new Error(JSON.stringify(said));
}
const tag = (uri: string, ...tags: string[]): Promise<void> =>
  put(`resources/${encodeURIComponent(uri)}`, { display_name: 'It', tags });
/** A token and one use of it. */
const use = (
  holder: Holder,
  at: number,
  operation: 'read' | 'write' | 'delete' | 'export' = 'read',
  scope?: string,
) => {
  const jti = `${holder.client}-${holder.agent ?? 'none'}-${at}`;
  return [issued(jti, at, holder), used(jti, at + 10, { operation, ...(scope ? { scope } : {}) }, holder.app)];
};
/** The findings of a kind about a client at the CRM or the wiki. */
const about = async (client: string, kind = KIND) =>
  (await world.list(`&kind=${kind}`)).filter((found) => found.client?.client_id.startsWith(`${client}-at-`));

describe('a resource with the tag `sensitive`', () => {
  it('makes a finding of a new client whatever it does there, and of no other client, resource or day', async () => {
    await tag(CRM, 'sensitive');
    const at = later();
    await world.tell(
      ...use({ user: 'ann', client: 'new-a' }, at),
      ...use({ user: 'ann', client: 'new-b', app: 'wiki' }, at + 100),
      ...use({ user: 'ann', client: 'old' }, at + 200),
      ...use({ user: 'ann', client: 'new-a' }, at + DAY + 300),
    );
    await world.find();
    expect(await about('new-a')).toMatchObject([
      {
        severity: 'medium',
        count: 1,
        agent: null,
        resource: { uri: CRM },
        details: { read: true },
        says: `new-a-at-crm is new at ${CRM} and did read there on its first day, 1 times.`,
        stop: { selector: { resource: CRM } },
      },
    ]);
    expect([...(await about('new-b')), ...(await about('old'))]).toEqual([]);
  });

  it('makes a finding of an agent that is new there through a client that is not', async () => {
    await tag(CRM, 'sensitive');
    const at = later();
    const bot = { user: 'ann', client: 'host', agent: 'bot-1' };
    await world.tell(
      jag(`host-bot-1-${at}`, at, bot),
      ...use(bot, at),
      jag(`host-bot-2-${at + 2 * DAY}`, at + 2 * DAY, { ...bot, agent: 'bot-2' }),
      ...use({ ...bot, agent: 'bot-2' }, at + 2 * DAY, 'write'),
      ...use(bot, at + 2 * DAY + 100),
    );
    await world.find();
    const found = await about('host');
    expect(found.map(({ agent, count, says }) => [agent?.id, count, says.slice(0, 28)]).sort()).toEqual([
      ['bot-1', 1, 'host-at-crm is new at https:'],
      ['bot-2', 1, 'An agent of host-at-crm is n'],
    ]);
    expect(found.find(({ agent }) => agent?.id === 'bot-2')!.stop!.selector).toMatchObject({
      agent: { id: 'bot-2' },
      client: { client_id: 'host-at-crm' },
      resource: CRM,
    });
  });

  it('is tagged also by its team, or by the user who owns it, found by an email or the user name', async () => {
    await put(`resources/${encodeURIComponent(CRM)}`, { team: 'Finance' });
    await put(`resources/${encodeURIComponent(WIKI)}`, { owner: 'Carol@Acme.example' });
    const at = later();
    await world.tell(
      ...use({ user: 'ann', client: 'before' }, at),
      ...use({ user: 'ann', client: 'before', app: 'wiki' }, at + 100),
    );
    await world.find();
    expect(await about('before')).toEqual([]);
    await put('teams/Finance', { tags: ['sensitive'] });
    await put(`users/carol?iss=${encodeURIComponent(IDP)}`, {
      userName: 'carol',
      emails: [{ value: 'carol@acme.example' }],
      tags: ['sensitive'],
    });
    await world.tell(
      ...use({ user: 'ann', client: 'team' }, at + DAY),
      ...use({ user: 'ann', client: 'owner', app: 'wiki' }, at + DAY + 100),
    );
    await world.find();
    expect(await about('team')).toHaveLength(1);
    expect(await about('owner')).toHaveLength(1);
    await put(`resources/${encodeURIComponent(WIKI)}`, { owner: 'CAROL' });
    await world.tell(...use({ user: 'ann', client: 'named', app: 'wiki' }, at + 2 * DAY));
    await world.find();
    expect(await about('named')).toHaveLength(1);
  });

  it('makes a finding of the first use of any scope by a client that has long used others', async () => {
    const at = later();
    const reader = { user: 'ann', client: 'reader', scope: 'files.read files.list' };
    await world.tell(
      ...use(reader, at, 'read', 'files.read'),
      ...use({ ...reader, app: 'wiki' }, at, 'read', 'files.read'),
    );
    await tag(CRM, 'sensitive');
    await world.tell(
      ...use(reader, at + 4 * DAY, 'read', 'files.list'),
      ...use({ ...reader, app: 'wiki' }, at + 4 * DAY + 100, 'read', 'files.list'),
    );
    await world.find();
    expect(await about('reader', 'scopes-grew')).toMatchObject([
      { resource: { uri: CRM }, details: { used: 'files.list', how: 'first used' } },
    ]);
  });
});

describe('a resource with the tag `not-sensitive`', () => {
  it('has no sensitive action, unless it is tagged `sensitive` too', async () => {
    await tag(CRM, 'not-sensitive');
    const at = later();
    const eraser = { user: 'ann', client: 'eraser', scope: 'files.read files.delete' };
    await world.tell(
      ...use({ user: 'ann', client: 'quiet' }, at, 'delete'),
      ...use({ user: 'ann', client: 'quiet', app: 'wiki' }, at + 100, 'delete'),
      ...use(eraser, at, 'read', 'files.read'),
      ...use(eraser, at + 4 * DAY, 'delete', 'files.delete'),
    );
    await world.find();
    expect((await about('quiet')).map(({ resource }) => resource!.uri)).toEqual([WIKI]);
    expect(await about('eraser', 'scopes-grew')).toEqual([]);
    await tag(CRM, 'not-sensitive', 'sensitive');
    await world.tell(...use({ user: 'ann', client: 'both' }, later()));
    await world.find();
    expect(await about('both')).toHaveLength(1);
  });
});

describe('a tag', () => {
  it('counts for the entries that are read after it was set, and takes no finding away', async () => {
    const at = later();
    const holder = { user: 'ann', client: 'tagged' };
    await world.tell(...use(holder, at));
    await world.find();
    await tag(CRM, 'sensitive');
    await world.find();
    expect(await about('tagged')).toEqual([]);
    await world.tell(...use(holder, at + 100), ...use(holder, at + 200, 'export'));
    await world.find();
    expect(await about('tagged')).toMatchObject([{ count: 2, details: { read: true, export: true } }]);
    await tag(CRM);
    await world.tell(...use(holder, at + 300));
    await world.find();
    expect(await about('tagged')).toMatchObject([{ count: 2 }]);
  });

  it('finds the same in a ledger, however it is cut into steps', async () => {
    await tag(CRM, 'sensitive');
    await tag(WIKI, 'not-sensitive');
    const at = later();
    const [noon, night, next] = [at + DAY / 2, at + DAY - 60, at + DAY];
    const bot = (when: number, user = 'ben') => use({ user, client: 'late', agent: 'bot' }, when);
    const [slow, tardy] = ['slow', 'tardy'].map((client) => ({ user: 'ann', client }));
    await world.tell(
      issued('slow', noon, slow!),
      ...bot(night),
      ...use({ user: 'ann', client: 'late' }, night + 10, 'export'),
      ...bot(night + 20, 'ann'),
      issued('tardy', night + 30, tardy!),
    );
    // Events of the day arrive on the next one, before and after others of that one.
    await world.tell(issued('swap', next + 10, { user: 'ann', client: 'swap' }), used('swap', next + 20));
    await world.tellAt(next + 60, used('tardy', night + 40));
    await world.tellAt(next + 90, used('swap', night + 50));
    await world.tellAt(next + 120, used('slow', next + 100));
    await world.tell(
      ...bot(next + 200),
      used('tardy', next + 300),
      used('slow', next + DAY / 2 - 100),
      used('slow', next + DAY / 2 + 100),
      ...use({ user: 'ben', client: 'late', app: 'wiki' }, next + DAY / 2 + 200, 'export'),
    );
    const anew = async (size: number) => {
      await world.pool.query('TRUNCATE finding, finding_past, finding_cursor, finding_memory, finding_day');
      await world.find(size);
      const { rows } = await world.pool.query<object>(
        `SELECT kind, subject, count, first_at, last_at, usr, client, agent, res, entries, details FROM finding
         WHERE kind IN ('new-at-sensitive-resource', 'scopes-grew') ORDER BY kind, subject`,
      );
      return rows;
    };
    const whole = await anew(4_000);
    expect(whole.length).toBeGreaterThan(5);
    const counts = async (client: string) => (await about(client)).map(({ count }) => count).sort();
    const counted = await Promise.all(['slow', 'tardy', 'swap', 'late'].map(counts));
    expect(counted).toEqual([[2], [1], [2], [1, 3]]);
    for (const size of [1, 2, 17]) expect(await anew(size)).toEqual(whole);
  });
});

describe('GET /v1/findings', () => {
  it('filters by tags of the user, client, agent or resource, by any of their names', async () => {
    const at = later();
    const holder = { user: 'tia', client: 'mine', agent: 'robo' };
    await world.tell(
      jag(`mine-robo-${at}`, at, holder),
      ...use(holder, at, 'delete'),
      ...use({ user: 'tom', client: 'other', app: 'wiki' }, at + 100, 'delete'),
    );
    await world.find();
    const listed = async (tags: string) =>
      (await world.list(`&kind=${KIND}&from=${at - 1}&tag=${tags}`)).map(({ client }) => client!.client_id).sort();
    const inIdp = `iss=${encodeURIComponent(IDP)}`;
    expect(await listed('t-user')).toEqual([]);
    await put(`users/tia?${inIdp}&tenant=acme`, { userName: 'tia', tags: ['t-user'] });
    // The finding names the client as the CRM does.
    await put(`clients/mine?${inIdp}`, { tags: ['t-client'] });
    await put(`agents/robo?${inIdp}`, { tags: ['t-agent'] });
    await tag(CRM, 't-res');
    await tag(WIKI, 't-wiki');
    for (const one of ['t-user', 't-client', 't-agent', 't-res', 't-res,t-none'])
      expect([one, await listed(one)]).toEqual([one, ['mine-at-crm']]);
    expect(await listed('t-wiki')).toEqual(['other-at-wiki']);
    expect(await listed('t-user,t-wiki')).toEqual(['mine-at-crm', 'other-at-wiki']);
    expect(await listed('t-none')).toEqual([]);
  });

  it.each(['', 'A', 'a,', 'a b', 'x'.repeat(64), Array.from({ length: 21 }, (_, nth) => `t-${nth}`).join(',')])(
    'refuses the tag %j',
    async (tags) => {
      expect((await world.get(`/v1/findings?tag=${encodeURIComponent(tags)}`)).status).toBe(400);
    },
  );
});
