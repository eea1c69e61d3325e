import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml';
import { Client } from 'pg';
import { freePort } from '../../fault/linearizability/node.js';
import { findTool } from '../../support/tools.js';

const initdb = findTool('initdb');
const execute = promisify(execFile);
const TEST_TIMEOUT_MS = 120_000;
const POLL_MS = 50;
const PASSWORD = 'spec-password';
/** Takes the place of the image's program of this name on a directory that has a database. */
const ENTRYPOINT =
  '#!/bin/bash\nexec "$@" -c port="$SERVER_PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$PGHOST"\n';
/** The image's lines in place of initdb's: nobody may replicate. */
const ACCESS = 'local all all trust\nhost all all all scram-sha-256\n';

/** PostgreSQL does not run as root; Debian's package makes the account. */
const account = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};

function idOf(which: '-u' | '-g'): number {
  return Number(execFileSync('id', [which, 'postgres']));
}

const COMPOSE = 'docker/compose.ha.yml';
const SWAPPED = 'docker/compose.swapped.yml';
type ServiceName = 'postgres-primary' | 'postgres-standby';

interface Compose {
  readonly services: Readonly<Record<ServiceName, { readonly environment: Readonly<Record<string, string>> }>>;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(POLL_MS);
}

(initdb === undefined ? describe.skip : describe)(
  'the scripts that set up the two PostgreSQL of compose.ha.yml',
  () => {
    let directory: string;
    let environments: Record<ServiceName, NodeJS.ProcessEnv>;
    const ports = new Map<ServiceName, number>();
    const running = new Map<ServiceName, ChildProcess>();
    const clients = new Set<Client>();

    const at = (...names: string[]): string => join(directory, ...names);
    const run = (name: ServiceName, command: string, ...args: string[]) =>
      execute(command, args, { env: environments[name], ...account });

    /** The environment that Compose and the image give a service, with the directories and addresses of this machine. */
    async function environmentOf(name: ServiceName, ...files: string[]): Promise<NodeJS.ProcessEnv> {
      const given: Record<string, string> = {};
      for (const file of files) {
        const { services } = load(await readFile(file, 'utf8'), { schema: CORE_SCHEMA.withTags(mergeTag) }) as Compose;
        for (const [variable, value] of Object.entries(services[name]!.environment))
          given[variable] = value.replace('/run/secrets', at('secrets')).replace('/var/run/postgresql', at(name));
      }
      return {
        ...given,
        PATH: [at('bin'), dirname(initdb!), process.env['PATH']].join(delimiter),
        LC_ALL: 'C',
        PGDATA: at(name, '18', 'docker'),
        PGHOST: at(name),
        SERVER_PORT: String(ports.get(name)),
        // The names of the services are of Compose's network: the primary is here, on a port of its own.
        PGPORT: String(ports.get((given['PRIMARY_HOST'] as ServiceName | undefined) ?? name)),
        ...(given['PRIMARY_HOST'] === undefined ? {} : { PGHOSTADDR: '127.0.0.1' }),
      };
    }

    async function prepare(): Promise<void> {
      directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-standby-`));
      await chmod(directory, 0o755);
      for (const name of ['secrets', 'bin', 'postgres-primary', 'postgres-standby']) {
        await mkdir(at(name), { mode: 0o755 });
        if (account.uid !== undefined) await chown(at(name), account.uid, account.gid);
      }
      for (const secret of ['postgres_password', 'replication_password'])
        await writeFile(at('secrets', secret), `${PASSWORD}\n`);
      await writeFile(at('bin', 'docker-entrypoint.sh'), ENTRYPOINT, { mode: 0o755 });
      for (const script of ['primary.sh', 'standby.sh']) await copyFile(`docker/postgres/${script}`, at('bin', script));
      for (const name of ['postgres-primary', 'postgres-standby'] as const) ports.set(name, await freePort());
      environments = {
        'postgres-primary': await environmentOf('postgres-primary', COMPOSE),
        'postgres-standby': await environmentOf('postgres-standby', COMPOSE),
      };
    }

    /** Makes the directory of a new server and runs the script put there, as the image does. */
    async function initialise(name: ServiceName): Promise<void> {
      const env = environments[name];
      await run(
        name,
        'initdb',
        `--username=${env['POSTGRES_USER']}`,
        `--pwfile=${env['POSTGRES_PASSWORD_FILE']}`,
        '--data-checksums',
        '--encoding=UTF8',
        '--locale=C',
      );
      await writeFile(join(env['PGDATA']!, 'pg_hba.conf'), ACCESS);
      await run(
        name,
        'pg_ctl',
        'start',
        '--wait',
        '--silent',
        '--log',
        at(name, 'init.log'),
        '--options',
        `-c port=${env['SERVER_PORT']} -c listen_addresses='' -c unix_socket_directories=${env['PGHOST']}`,
      );
      await run(
        name,
        'createdb',
        `--username=${env['POSTGRES_USER']}`,
        '--maintenance-db=postgres',
        env['POSTGRES_DB']!,
      );
      await run(name, 'bash', at('bin', 'primary.sh'));
      await run(name, 'pg_ctl', 'stop', '--wait', '--silent');
    }

    function start(name: ServiceName, command: readonly string[]): void {
      running.set(
        name,
        spawn(command[0]!, command.slice(1), {
          env: environments[name],
          ...account,
          stdio: ['ignore', 'ignore', process.env['TEST_LOG_LEVEL'] === undefined ? 'ignore' : 'inherit'],
        }),
      );
    }
    const startPrimary = (): void => start('postgres-primary', ['docker-entrypoint.sh', 'postgres']);
    const startStandby = (name: ServiceName = 'postgres-standby'): void =>
      start(name, ['bash', at('bin', 'standby.sh')]);

    async function end(name: ServiceName, signal: NodeJS.Signals): Promise<void> {
      const server = running.get(name);
      running.delete(name);
      if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
      const gone = once(server, 'exit');
      server.kill(signal);
      await gone;
    }

    async function connect(name: ServiceName): Promise<Client> {
      for (;;) {
        const client = new Client({
          host: '127.0.0.1',
          port: ports.get(name)!,
          user: 'rescind',
          password: PASSWORD,
          database: 'rescind',
        });
        client.on('error', () => undefined);
        try {
          await client.connect();
          clients.add(client);
          return client;
        } catch {
          await client.end().catch(() => undefined);
          await delay(POLL_MS);
        }
      }
    }
    const untilSynchronous = (primary: Client): Promise<void> =>
      until(
        async () =>
          (
            await primary.query(
              `SELECT FROM pg_stat_replication WHERE application_name = 'standby' AND state = 'streaming' AND sync_state = 'sync'`,
            )
          ).rowCount === 1,
      );
    const untilOneWaits = (primary: Client): Promise<void> =>
      until(
        async () => (await primary.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)).rowCount === 1,
      );
    const rowsOf = async (client: Client): Promise<number[]> =>
      (await client.query<{ n: number }>('SELECT n FROM spec ORDER BY n')).rows.map(({ n }) => n);

    beforeAll(async () => {
      await prepare();
      await initialise('postgres-primary');
      startPrimary();
      // The standby begins once the primary answers, as Compose's `depends_on` says.
      await connect('postgres-primary');
      startStandby();
    }, TEST_TIMEOUT_MS);
    afterAll(async () => {
      for (const client of clients) void client.end().catch(() => undefined);
      for (const name of running.keys()) await end(name, 'SIGQUIT');
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    });

    it(
      'make a standby that is copied once and follows in step, and without which nothing commits',
      async () => {
        const primary = await connect('postgres-primary');
        await untilSynchronous(primary);
        await primary.query('CREATE TABLE spec (n int PRIMARY KEY)');
        await primary.query('INSERT INTO spec VALUES (1)');
        expect(await rowsOf(await connect('postgres-standby'))).toEqual([1]);

        await writeFile(join(environments['postgres-standby']['PGDATA']!, 'copied-once'), '');
        await end('postgres-standby', 'SIGKILL');
        let committed = false;
        const waiting = (await connect('postgres-primary'))
          .query('INSERT INTO spec VALUES (2)')
          .then(() => (committed = true));
        await untilOneWaits(primary);
        expect([committed, await rowsOf(primary)]).toEqual([false, [1]]);
        startStandby();
        await waiting;
        await untilSynchronous(primary);
        expect(await rowsOf(await connect('postgres-standby'))).toEqual([1, 2]);
        expect(await readFile(join(environments['postgres-standby']['PGDATA']!, 'copied-once'), 'utf8')).toBe('');
      },
      TEST_TIMEOUT_MS,
    );

    it(
      'the standby has every commit and takes over when the primary is lost; the former primary commits nothing, and becomes the standby',
      async () => {
        await end('postgres-primary', 'SIGKILL');
        await run('postgres-standby', 'pg_ctl', 'promote', '--wait', '--silent');
        const promoted = await connect('postgres-standby');
        expect(await rowsOf(promoted)).toEqual([1, 2]);
        await promoted.query('INSERT INTO spec VALUES (3)');

        startPrimary();
        const former = await connect('postgres-primary');
        const lost = (await connect('postgres-primary')).query('INSERT INTO spec VALUES (-1)').then(
          () => 'committed',
          () => 'refused',
        );
        await untilOneWaits(former);
        await end('postgres-primary', 'SIGQUIT');
        expect(await lost).toBe('refused');

        await rm(environments['postgres-primary']['PGDATA']!, { recursive: true });
        await promoted.query(`SELECT pg_create_physical_replication_slot('standby')`);
        environments['postgres-primary'] = await environmentOf('postgres-primary', COMPOSE, SWAPPED);
        startStandby('postgres-primary');
        await until(async () => (await promoted.query('SELECT FROM pg_stat_replication')).rowCount === 1);
        await promoted.query(`ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (standby)'`);
        await promoted.query('SELECT pg_reload_conf()');
        await untilSynchronous(promoted);
        await promoted.query('INSERT INTO spec VALUES (4)');
        expect(await rowsOf(await connect('postgres-primary'))).toEqual([1, 2, 3, 4]);
      },
      TEST_TIMEOUT_MS,
    );
  },
);
