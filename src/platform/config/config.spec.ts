import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig, SECRET_VARIABLES, VARIABLE_DOCUMENTATION } from './config.js';

const SECRET = 'postgres://rescind:hunter2@db.internal:5432/rescind?sslmode=verify-full';

function refusal(env: Record<string, string>): ConfigError {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

describe('readConfig', () => {
  it('runs everything, embedded and on loopback, when nothing is set', () => {
    expect(readConfig({})).toEqual({
      home: '.rescind',
      listen: { host: '127.0.0.1', port: 7423, tls: undefined, trustedProxy: false },
      archiveDir: join('.rescind', 'archive'),
      ledgerDir: join('.rescind', 'ledger'),
      publicLedgers: new Set(),
      witnessesFile: undefined,
      hotDays: undefined,
      findingsLearnDays: undefined,
      roles: new Set(['ingest', 'serve', 'feed', 'log', 'archive']),
      database: 'embedded',
      databasePoolMax: 10,
      questionsAtOnce: 4,
      management: undefined,
      migrations: 'auto',
      processes: 1,
      kafka: 'embedded',
      topicPrefix: 'rescind',
      controlFence: 'on',
      ocsfTopics: 'off',
      findingsTopics: 'off',
      leaseMs: 4_000,
      confirmShare: 10,
      logOrigin: 'rescind.local',
      logLevel: 'info',
      jwksAllowedHosts: [],
      jwksCaFile: undefined,
      people: { provider: undefined, idleMs: 3_600_000, sessionMs: 43_200_000, freshUsers: 100 },
      channels: { allowed: [], caFile: undefined, publicUrl: undefined },
      tracing: undefined,
    });
  });

  it('takes real servers, roles, TLS and an origin', () => {
    const config = readConfig({
      DATABASE_URL: SECRET,
      KAFKA_BROKERS: 'kafka-1:9092, [2001:db8::1]:9093',
      ROLES: 'serve, feed',
      HOST: '0.0.0.0',
      PORT: '0',
      TLS_CERT: '/etc/rescind/tls.crt',
      TLS_KEY: '/etc/rescind/tls.key',
      LOG_ORIGIN: 'log.example.com/rescind',
      JWKS_ALLOWED_HOSTS: 'idp.internal,127.0.0.1',
      JWKS_TLS_CA: '/tls/ca.pem',
      CHANNEL_ALLOWED_HOSTS: 'hooks.internal,10.1.0.0/16',
      CHANNEL_TLS_CA: '/tls/receivers.pem',
      PUBLIC_URL: 'https://rescind.example/at/',
    });
    expect(config.database !== 'embedded' && config.database.url.reveal()).toBe(SECRET);
    expect(config.kafka).toEqual({ brokers: ['kafka-1:9092', '[2001:db8::1]:9093'], security: {} });
    expect(config.roles).toEqual(new Set(['serve', 'feed']));
    expect(config.listen.tls).toEqual({ certFile: '/etc/rescind/tls.crt', keyFile: '/etc/rescind/tls.key' });
    expect(config.jwksAllowedHosts).toEqual(['idp.internal', '127.0.0.1']);
    expect(config.jwksCaFile).toBe('/tls/ca.pem');
    expect(config.channels).toEqual({
      allowed: ['hooks.internal', '10.1.0.0/16'],
      caFile: '/tls/receivers.pem',
      publicUrl: 'https://rescind.example/at',
    });
  });

  it('keeps the archive under the home directory unless told where', () => {
    expect(readConfig({ RESCIND_HOME: '/var/lib/rescind' }).archiveDir).toBe('/var/lib/rescind/archive');
    expect(readConfig({ ARCHIVE_DIR: '/mnt/archive' }).archiveDir).toBe('/mnt/archive');
  });

  it.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['0.0.0.0:0', { host: '0.0.0.0', port: 0 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
    ['node-1.internal:9464', { host: 'node-1.internal', port: 9464 }],
  ])('takes MANAGEMENT_LISTEN=%s', (value, management) =>
    expect(readConfig({ MANAGEMENT_LISTEN: value }).management).toEqual(management),
  );

  it('reserves KAFKA_BROKERS=none for HTTP intake alone', () => {
    expect(readConfig({ KAFKA_BROKERS: 'none' }).kafka).toBe('none');
  });

  it('accepts an address beyond loopback behind a trusted proxy', () => {
    expect(readConfig({ HOST: '0.0.0.0', TRUSTED_PROXY: 'true' }).listen.trustedProxy).toBe(true);
  });

  it.each([
    ['DATABASE_URL', 'mysql://rescind:hunter2@db.internal/rescind'],
    ['DATABASE_URL', 'hunter2'],
    ['DATABASE_URL', 'postgres://rescind:hunter2@db.internal'],
    ['DATABASE_POOL_MAX', '201'],
    ['DATABASE_POOL_MAX', '1e2'],
    ['QUESTIONS_AT_ONCE', '1e2'],
    ['MANAGEMENT_LISTEN', '7777'],
    ['MANAGEMENT_LISTEN', '127.0.0.1:77777'],
    ['MANAGEMENT_LISTEN', 'http://127.0.0.2:7777'],
    ['MANAGEMENT_LISTEN', '::2:7777'],
    ['MIGRATIONS', 'never'],
    ['KAFKA_BROKERS', 'hunter2'],
    ['KAFKA_BROKERS', 'kafka:70000'],
    ['KAFKA_BROKERS', 'kafka:9092,'],
    ['KAFKA_BROKERS', 'none,kafka:9092'],
    ['ROLES', 'serve,hunter2'],
    ['ROLES', 'serve,serve'],
    ['ROLES', 'all,serve'],
    ['HOST', '192.0.2.200'],
    ['HOST', '0.0.0.0'],
    ['HOST', '127.0.0.1.evil.example'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '74 23'],
    ['TRUSTED_PROXY', 'yes'],
    ['LEASE_SECONDS', '1'],
    ['CONFIRM_SHARE', '101'],
    ['CONFIRM_SHARE', '10%'],
    ['LEASE_SECONDS', '31'],
    ['LEASE_SECONDS', '2.5'],
    ['LOG_LEVEL', 'loud'],
    ['LOG_ORIGIN', 'https://log.example.com'],
    ['LOG_ORIGIN', 'two words'],
    ['JWKS_ALLOWED_HOSTS', 'https://idp.internal'],
    ['CHANNEL_ALLOWED_HOSTS', 'https://hooks.internal'],
    ['CHANNEL_ALLOWED_HOSTS', '10.0.0.0/8/8'],
    ['PUBLIC_URL', 'rescind.example'],
    ['PUBLIC_URL', 'https://user:secret@rescind.example'],
    ['PUBLIC_URL', 'https://rescind.example/?a=b'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://user:hunter2@collector.example'],
  ])('refuses %s=%s by name and never by value', (variable, value) => {
    const error = refusal({ [variable]: value });
    expect(error.code).toBe('config-invalid');
    expect(error.problems.map((problem) => problem.variable)).toEqual([variable]);
    expect(error.message).toContain(variable);
    expect(JSON.stringify(error) + error.message + error.stack!.split('\n    at ')[0]!).not.toContain(value);
  });

  it.each(Object.keys(VARIABLE_DOCUMENTATION))('refuses %s set to nothing', (variable) => {
    expect(refusal({ [variable]: '  ' }).problems.map((problem) => problem.variable)).toContain(variable);
  });

  describe('of a database on another machine', () => {
    const url = (query: string, host = 'db.internal'): string => `postgres://rescind:hunter2@${host}/rescind${query}`;

    it.each([
      '',
      '?sslmode=disable',
      '?sslmode=no-verify',
      '?sslmode=prefer',
      '?sslmode=require&uselibpqcompat=true',
      '?sslmode=verify-full&sslmode=disable',
    ])('refuses to reach it without TLS that is checked: %s', (query) => {
      const error = refusal({ DATABASE_URL: url(query) });
      expect(error.problems.map(({ variable }) => variable)).toEqual(['DATABASE_URL']);
      expect(error.message).toContain('DATABASE_WITHOUT_TLS');
      expect(error.message).not.toContain('hunter2');
      expect(readConfig({ DATABASE_URL: url(query), DATABASE_WITHOUT_TLS: 'true' }).database).not.toBe('embedded');
    });

    it.each([
      '?sslmode=require',
      '?sslmode=verify-ca',
      '?sslmode=verify-full&sslrootcert=/etc/ca.crt',
      '?uselibpqcompat=true&sslmode=verify-full',
    ])('takes %s', (query) => {
      expect(readConfig({ DATABASE_URL: url(query) }).database).not.toBe('embedded');
    });

    it.each([
      ['', 'localhost'],
      ['', '127.0.0.1:5432'],
      ['', '[::1]:5432'],
      ['?host=/var/run/postgresql', 'db.internal'],
    ])('wants no TLS on this machine: %s %s', (query, host) => {
      expect(readConfig({ DATABASE_URL: url(query, host) }).database).not.toBe('embedded');
    });

    it('judges the host that the driver takes', () => {
      expect(
        refusal({ DATABASE_URL: url('?host=db.internal', 'localhost') }).problems.map(({ variable }) => variable),
      ).toEqual(['DATABASE_URL']);
    });

    it.each<Record<string, string>>([{}, { DATABASE_URL: url('?sslmode=verify-full') }])(
      'refuses the permission where nothing needs it: %o',
      (env) => {
        expect(refusal({ ...env, DATABASE_WITHOUT_TLS: 'true' }).problems.map(({ variable }) => variable)).toEqual([
          'DATABASE_WITHOUT_TLS',
        ]);
      },
    );
  });

  it.each([
    [{ TLS_CERT: 'a.crt' }, 'TLS_KEY'],
    [{ TLS_KEY: 'a.key' }, 'TLS_CERT'],
  ])('refuses half a TLS identity: %o', (env, missing) => {
    expect(refusal(env).problems.map((problem) => problem.variable)).toEqual([missing]);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'api-key=hunter2' }, 'http://collector.example:4318', 'OTEL_EXPORTER_OTLP_HEADERS'],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'hunter2' }, 'https://collector.example', 'OTEL_EXPORTER_OTLP_HEADERS'],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'api-key=%zz' }, 'https://collector.example', 'OTEL_EXPORTER_OTLP_HEADERS'],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%0ab' }, 'https://collector.example', 'OTEL_EXPORTER_OTLP_HEADERS'],
    [{ OTEL_TRACES_SAMPLER_ARG: '1.1' }, 'https://collector.example', 'OTEL_TRACES_SAMPLER_ARG'],
    [{ OTEL_TRACES_SAMPLER_ARG: 'always' }, 'https://collector.example', 'OTEL_TRACES_SAMPLER_ARG'],
  ])('refuses %o for traces to %s', (env, endpoint, variable) => {
    const error = refusal({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    expect(error.problems.map((problem) => problem.variable)).toEqual([variable]);
    expect(error.message).not.toContain('hunter2');
  });

  it('takes a collector', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/otlp',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=hunter2',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    };
    const { tracing } = readConfig(env);
    expect(tracing).toMatchObject({ endpoint: 'https://collector.example/otlp', serviceName: 'rescind', ratio: 0.25 });
    expect(JSON.stringify(tracing)).not.toContain('hunter2');
  });

  it('names every problem at once', () => {
    const error = refusal({ PORT: 'x', ROLES: 'y', KAFKA_BROKERS: 'z', HOST: '0.0.0.0' });
    expect(error.problems.map((problem) => problem.variable).sort()).toEqual([
      'HOST',
      'KAFKA_BROKERS',
      'PORT',
      'ROLES',
    ]);
  });

  it('prints without the password', () => {
    expect(JSON.stringify(readConfig({ DATABASE_URL: SECRET }))).not.toContain('hunter2');
  });
});

describe('secrets in files', () => {
  const directory = mkdtempSync(join(tmpdir(), `rescind-test-${process.pid}-secrets-`));
  afterAll(() => rmSync(directory, { recursive: true }));
  let files = 0;
  function fileOf(content: string): string {
    const path = join(directory, String((files += 1)));
    writeFileSync(path, content);
    return path;
  }
  const refusedFor = (env: Record<string, string>) => refusal(env).problems.map(({ variable }) => variable);

  it.each([SECRET, `${SECRET}\n`, `${SECRET}\r\n`])(
    'reads DATABASE_URL from the file that DATABASE_URL_FILE names, without a newline at its end: %j',
    (content) => {
      const { database } = readConfig({ DATABASE_URL_FILE: fileOf(content) });
      expect(database !== 'embedded' && database.url.reveal()).toBe(SECRET);
    },
  );

  it("reads Kafka's password from a file", () => {
    const { kafka } = readConfig({
      KAFKA_BROKERS: 'kafka:9093',
      KAFKA_TLS: 'true',
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'rescind',
      KAFKA_SASL_PASSWORD_FILE: fileOf(' hunter2 \n'),
    });
    expect(typeof kafka === 'object' && kafka.security.sasl?.password.reveal()).toBe(' hunter2 ');
  });

  it("reads a collector's headers from a file", () => {
    const { tracing } = readConfig({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example',
      OTEL_EXPORTER_OTLP_HEADERS_FILE: fileOf('api-key=hunter2\n'),
    });
    expect(tracing?.headers?.reveal()).toBe('api-key=hunter2');
  });

  it('judges a value from a file as it judges the variable, by its name', () => {
    const error = refusal({ DATABASE_URL_FILE: fileOf('mysql://rescind:hunter2@db.internal/rescind') });
    expect(error.problems.map(({ variable }) => variable)).toEqual(['DATABASE_URL']);
    expect(error.message).not.toContain('hunter2');
  });

  it.each(SECRET_VARIABLES)('refuses %s beside a file for it', (variable) => {
    expect(refusedFor({ [variable]: 'hunter2', [`${variable}_FILE`]: fileOf('hunter2') })).toContain(
      `${variable}_FILE`,
    );
  });

  it.each([
    ['that is not there', () => join(directory, 'hunter2')],
    ['that is a directory', () => directory],
    ['that is empty', () => fileOf('')],
    ['of a newline', () => fileOf('\n')],
    ['of two lines', () => fileOf(`${SECRET}\n${SECRET}\n`)],
    ['that is too long', () => fileOf('a'.repeat(65_537))],
  ])('refuses a file %s, without its path and its content', (_what, path) => {
    const error = refusal({ DATABASE_URL_FILE: path() });
    expect(error.problems.map(({ variable }) => variable)).toEqual(['DATABASE_URL_FILE']);
    expect(error.message).not.toContain('hunter2');
    expect(error.message).not.toContain(directory);
  });
});
