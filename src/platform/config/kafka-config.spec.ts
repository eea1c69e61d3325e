import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig, type Config } from './config.js';

const FAR = { KAFKA_BROKERS: 'kafka.example:9093' };
const NEAR = { KAFKA_BROKERS: '127.0.0.1:9092,[::1]:9092,localhost:9092' };
const SASL = { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'rescind', KAFKA_SASL_PASSWORD: 'hunter2' };
const TLS = { KAFKA_TLS: 'true' };

const kafkaOf = (env: Record<string, string>): Exclude<Config['kafka'], string> => {
  const { kafka } = readConfig(env);
  if (typeof kafka === 'string') throw new TypeError('no brokers');
  return kafka;
};

function refused(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(inspect(error, { depth: 10 })).not.toContain('hunter2');
    return error.problems.map(({ variable }) => variable);
  }
  return [];
}

describe("the broker's security", () => {
  it('is none when nothing is said', () => {
    expect(kafkaOf(FAR)).toEqual({ brokers: ['kafka.example:9093'], security: {} });
  });

  it('takes TLS, an authority, a certificate of its own and SASL together', () => {
    const files = { KAFKA_TLS_CA: 'ca.pem', KAFKA_TLS_CERT: 'own.pem', KAFKA_TLS_KEY: 'own.key' };
    const { security } = kafkaOf({ ...FAR, ...TLS, ...files, ...SASL });
    expect(security.tls).toEqual({ caFile: 'ca.pem', certFile: 'own.pem', keyFile: 'own.key' });
    expect(security.sasl).toMatchObject({ mechanism: 'scram-sha-512', username: 'rescind' });
    expect(security.sasl!.password.reveal()).toBe('hunter2');
    expect(JSON.stringify(security) + inspect(security, { depth: 10 })).not.toContain('hunter2');
  });

  it.each([
    ['the first authority without TLS', { ...FAR, KAFKA_TLS_CA: 'ca.pem' }, ['KAFKA_TLS_CA']],
    [
      'a key where TLS is off',
      { ...FAR, KAFKA_TLS: 'false', KAFKA_TLS_CERT: 'c', KAFKA_TLS_KEY: 'k' },
      ['KAFKA_TLS_CERT', 'KAFKA_TLS_KEY'],
    ],
    ['a certificate without its key', { ...FAR, ...TLS, KAFKA_TLS_CERT: 'c' }, ['KAFKA_TLS_KEY']],
    ['a key without its certificate', { ...FAR, ...TLS, KAFKA_TLS_KEY: 'k' }, ['KAFKA_TLS_CERT']],
    ['a password alone', { ...NEAR, KAFKA_SASL_PASSWORD: 'hunter2' }, ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME']],
    ['a mechanism alone', { ...NEAR, KAFKA_SASL_MECHANISM: 'plain' }, ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD']],
    ['another mechanism', { ...NEAR, ...SASL, KAFKA_SASL_MECHANISM: 'gssapi' }, ['KAFKA_SASL_MECHANISM']],
    ['anything but true and false', { ...FAR, KAFKA_TLS: '/etc/ca.pem' }, ['KAFKA_TLS']],
    ['a password in plaintext over a network', { ...FAR, ...SASL }, ['KAFKA_SASL_MECHANISM']],
    [
      'the same, though one broker is near',
      { ...SASL, KAFKA_BROKERS: '127.0.0.1:9092,10.0.0.7:9092' },
      ['KAFKA_SASL_MECHANISM'],
    ],
    [
      'leave to do so beside TLS',
      { ...FAR, ...TLS, ...SASL, KAFKA_SASL_WITHOUT_TLS: 'true' },
      ['KAFKA_SASL_WITHOUT_TLS'],
    ],
    ['leave to do so without SASL', { ...FAR, KAFKA_SASL_WITHOUT_TLS: 'true' }, ['KAFKA_SASL_WITHOUT_TLS']],
    ['security for the local Kafka', { ...TLS, ...SASL }, ['KAFKA_TLS', ...Object.keys(SASL)]],
    ['security for no Kafka', { KAFKA_BROKERS: 'none', ...TLS }, ['KAFKA_TLS']],
  ])('refuses %s', (_what, env: Record<string, string>, variables) => {
    expect(refused(env)).toEqual(variables);
  });

  it.each([
    ['over TLS', { ...FAR, ...TLS, ...SASL }],
    ['on loopback', { ...NEAR, ...SASL }],
    ['in plaintext when that is said in so many words', { ...FAR, ...SASL, KAFKA_SASL_WITHOUT_TLS: 'true' }],
  ])('takes SASL %s', (_how, env: Record<string, string>) => {
    expect(refused(env)).toEqual([]);
  });
});
