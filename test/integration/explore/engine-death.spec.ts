import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { buildEvent } from '../../../src/emit/index.js';
import { namesOf, startTwoTenants } from '../query/two-tenants.js';

const run = promisify(execFile);
const { as, api, user, idp, client, jti } = namesOf('acme');

let world: Awaited<ReturnType<typeof startTwoTenants>>;
beforeAll(async () => {
  world = await startTwoTenants();
}, 120_000);
afterAll(() => world.stop());

/** The engines of this process. */
const engines = async (): Promise<number[]> => {
  const { stdout } = await run('pgrep', ['-P', String(process.pid), '-f', 'explore/engine/child']).catch(() => ({
    stdout: '',
  }));
  return stdout.split('\n').filter(Boolean).map(Number);
};

it('the death of the engine harms neither introspection nor orders nor events, and the next question is answered', async () => {
  const { keys } = world.planted.acme;
  const explore = () => world.ask('POST', '/v1/explore', keys.audit, JSON.stringify({ by: ['user'], from: '30d' }));
  const post = async (path: string, key: string, type: string, body: string) => {
    const response = await fetch(`${world.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': type },
      body,
    });
    return [response.status, await response.text()] as const;
  };
  const access = buildEvent('access.allowed', {
    source: `${api}/events`,
    data: { token: { iss: as, jti }, operation: 'read', status: 200 },
  });

  // It is started by the first question, and only then.
  expect(await engines()).toEqual([]);
  const first = await explore();
  expect([first.status, first.body.items[0].group.user.sub]).toEqual([200, user]);
  const [pid, ...others] = await engines();
  expect(others).toEqual([]);

  process.kill(pid!, 'SIGKILL');
  const [introspected, ordered, sent] = await Promise.all([
    post('/introspect', keys.introspect, 'application/x-www-form-urlencoded', 'token=unknown'),
    post(
      '/v1/revocations',
      keys.revoke,
      'application/json',
      JSON.stringify({ selector: { client: { iss: idp, client_id: `other-${client}` } }, reason: 'a spec' }),
    ),
    post('/events', keys.emit, 'application/cloudevents+json', JSON.stringify(access)),
  ]);
  expect(introspected).toEqual([200, '{"active":false}']);
  expect([ordered[0], sent[0]]).toEqual([201, expect.any(Number)]);
  expect(sent[0]).toBeLessThan(300);

  // A question that finds the engine dying may fail once.
  let next = await explore();
  if (next.status === 503) {
    expect(next.body.code).toBe('engine-unavailable');
    next = await explore();
  }
  expect([next.status, next.body.items[0].group.user.sub]).toEqual([200, user]);
  expect(Number(next.body.as_of.index)).toBeGreaterThan(Number(first.body.as_of.index));
  expect(next.body.read.tail).toBe(first.body.read.tail + 1);
  expect(await engines()).toEqual([expect.any(Number)]);
  expect((await engines())[0]).not.toBe(pid);
}, 120_000);
