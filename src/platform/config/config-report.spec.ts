import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { VARIABLE_DOCUMENTATION } from './config.js';
import { reportConfig } from './config-report.js';

const SECRET = 'hunter2';

describe('the report of a configuration', () => {
  let directory: string;
  const file = (name: string): string => join(directory, name);
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'rescind-config-'));
    for (const name of ['one', 'two']) {
      const self = [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
      ];
      execFileSync('openssl', [...self, '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)], {
        stdio: 'ignore',
      });
    }
    writeFileSync(file('text'), 'nothing of the kind');
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const problemsOf = (env: Record<string, string>): readonly string[] =>
    reportConfig(env).problems.map(({ variable }) => variable);

  it('names every variable once, with the source of its value, and no value', () => {
    const env = {
      DATABASE_URL: `postgres://rescind:${SECRET}@127.0.0.1/rescind`,
      KAFKA_BROKERS: 'none',
      LOG_LEVEL: 'warn',
    };
    const { variables, problems } = reportConfig(env);
    expect(variables.map(({ variable }) => variable)).toEqual(Object.keys(VARIABLE_DOCUMENTATION));
    expect(
      variables
        .filter(({ source }) => source === 'environment')
        .map(({ variable }) => variable)
        .sort(),
    ).toEqual(Object.keys(env).sort());
    expect(problems).toEqual([]);
    expect(JSON.stringify(variables)).not.toContain(SECRET);
  });

  it('names every problem, and no value', () => {
    const report = reportConfig({ DATABASE_URL: SECRET, PORT: SECRET, LOG_LEVEL: '' });
    expect(report.problems.map(({ variable }) => variable).sort()).toEqual([
      'DATABASE_URL',
      'LOG_LEVEL',
      'LOG_LEVEL',
      'PORT',
    ]);
    expect(JSON.stringify(report)).not.toContain(SECRET);
  });

  it('reads the files that the configuration names', () => {
    expect(problemsOf({ TLS_CERT: file('one.crt'), TLS_KEY: file('one.key') })).toEqual([]);
    expect(problemsOf({ TLS_CERT: file('none.crt'), TLS_KEY: file('none.key') })).toEqual(['TLS_CERT', 'TLS_KEY']);
    expect(problemsOf({ TLS_CERT: file('text'), TLS_KEY: file('one.key') })).toEqual(['TLS_CERT']);
    expect(problemsOf({ TLS_CERT: file('one.crt'), TLS_KEY: file('text') })).toEqual(['TLS_KEY']);
    expect(problemsOf({ TLS_CERT: file('one.crt'), TLS_KEY: file('two.key') })).toEqual(['TLS_KEY']);
    expect(problemsOf({ JWKS_TLS_CA: file('one.crt'), CHANNEL_TLS_CA: file('one.crt') })).toEqual([]);
    for (const bad of ['none.crt', 'text', 'one.key'])
      expect(problemsOf({ JWKS_TLS_CA: file(bad) })).toEqual(['JWKS_TLS_CA']);
    const kafka = { KAFKA_BROKERS: 'kafka.example:9093', KAFKA_TLS: 'true' };
    expect(problemsOf({ ...kafka, KAFKA_TLS_CA: file('one.crt') })).toEqual([]);
    expect(problemsOf({ ...kafka, KAFKA_TLS_CA: file('text') })).toEqual(['KAFKA_TLS_CA']);
    expect(problemsOf({ ...kafka, KAFKA_TLS_CERT: file('one.crt'), KAFKA_TLS_KEY: file('none.key') })).toEqual([
      'KAFKA_TLS_KEY',
    ]);
  });
});
