import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { findEmbeddedPostgres, startEmbeddedPostgres } from '../../../src/platform/embedded/index.js';
import { isAlive, startOrphan, untilGone } from '../../support/orphans.js';
import { ownPostgres, testLog, uniqueName } from '../../support/services.js';

async function ask<Row>(url: string, statement: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  // The server is killed under some of these connections.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(statement)).rows as Row[];
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL', () => {
  let sut: Awaited<ReturnType<typeof ownPostgres>>;
  beforeEach(async () => {
    sut = await ownPostgres();
    await sut.start();
  });
  afterEach(() => sut.remove());

  const count = async (): Promise<number> =>
    Number((await ask<{ n: string }>(sut.url, 'SELECT count(*) AS n FROM kept'))[0]!.n);

  it('is durable, checks its pages, requires a password and listens on loopback only', async () => {
    const [settings] = await ask<Record<string, string>>(
      sut.url,
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, current_setting('data_checksums') AS checksums,
              current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets, current_database() AS database`,
    );
    expect(settings).toEqual({
      fsync: 'on',
      commit: 'on',
      checksums: 'on',
      addresses: '127.0.0.1',
      sockets: '',
      database: 'rescind',
    });
    const withoutPassword = new URL(sut.url);
    withoutPassword.password = 'wrong';
    await expect(ask(withoutPassword.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect((await stat(join(sut.directory, 'password'))).mode & 0o777).toBe(0o600);
  });

  const itOnLinux = process.platform === 'linux' ? it : it.skip;
  itOnLinux('is given nothing of our environment but what it needs', async () => {
    const secret = uniqueName('secret');
    process.env['KAFKA_SASL_PASSWORD'] = secret;
    try {
      await sut.start();
    } finally {
      delete process.env['KAFKA_SASL_PASSWORD'];
    }
    const [postmaster] = (await readFile(join(sut.directory, 'data', 'postmaster.pid'), 'utf8')).split('\n');
    const environment = await readFile(`/proc/${postmaster}/environ`, 'utf8');
    expect(environment).toContain('LC_ALL=C');
    expect(environment).not.toContain(secret);
  });

  it('keeps data and address across a restart', async () => {
    await ask(sut.url, 'CREATE TABLE kept AS SELECT 1 AS n');
    const { url } = sut;
    // A command beside the service that runs the server finds it so.
    expect(await findEmbeddedPostgres(sut.directory)).toBe(url);
    await sut.stop();
    expect(await findEmbeddedPostgres(sut.directory)).toBeUndefined();
    await sut.start();
    expect(sut.url).toBe(url);
    expect(await count()).toBe(1);
  });

  it('keeps what was committed when the postmaster is killed', async () => {
    await ask(sut.url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n');
    sut.kill();
    await sut.start();
    expect(await count()).toBe(1000);
  });

  it('starts beside a stale pid file whose pid another process has by now', async () => {
    await ask(sut.url, 'CREATE TABLE kept AS SELECT 1 AS n');
    const file = join(sut.directory, 'data', 'postmaster.pid');
    const lines = (await readFile(file, 'utf8')).split('\n');
    sut.kill();
    await sut.stop();
    await writeFile(file, [String(process.pid), ...lines.slice(1)].join('\n'));
    await sut.start();
    expect(await count()).toBe(1);
  });

  it('refuses a directory that a living process uses, and leaves its server alone', async () => {
    await expect(startEmbeddedPostgres({ directory: sut.directory, log: testLog() })).rejects.toMatchObject({
      code: 'database-unavailable',
      detail: expect.stringContaining(String(process.pid)),
    });
    expect(await ask(sut.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
  });

  it('stops the server that a killed process left behind, and takes its data over', async () => {
    await ask(sut.url, 'CREATE TABLE kept AS SELECT 1 AS n');
    await sut.stop();
    const orphan = await startOrphan('postgres', sut.directory, { guarded: false });
    expect(isAlive(orphan)).toBe(true);
    await sut.start();
    expect(isAlive(orphan)).toBe(false);
    expect(await count()).toBe(1);
  });

  it('ends with its parent, even if that is killed', async () => {
    await sut.stop();
    await untilGone(await startOrphan('postgres', sut.directory, { guarded: true }));
  });
});
