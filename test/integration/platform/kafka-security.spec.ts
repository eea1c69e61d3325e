import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readConfig, type Config } from '../../../src/platform/config/index.js';
import { createClient } from '../../../src/platform/kafka/client.kafka.js';
import { ensureTopics } from '../../../src/platform/kafka/topics.kafka.js';
import { createLog } from '../../../src/platform/log/index.js';
import { startSecuredKafka, USERNAME, type SecuredKafka } from './secured-kafka.js';

describe('a broker that requires authentication', () => {
  let sut: SecuredKafka;
  const logged: string[] = [];
  const log = createLog({ level: 'trace', destination: { write: (line) => logged.push(line) } });
  beforeAll(async () => {
    sut = await startSecuredKafka(randomBytes(12).toString('hex'));
  });
  afterAll(() => sut.remove());

  /** Writes a record and reads it back, configured as an operator would. */
  async function roundTrip(env: Record<string, string>): Promise<string> {
    const { kafka: config } = readConfig(env) as Config & { kafka: Exclude<Config['kafka'], string> };
    const kafka = createClient({
      brokers: config.brokers,
      security: config.security,
      clientId: 'spec',
      log,
      retry: { retries: 0 },
    });
    const admin = kafka.admin();
    await admin.connect();
    const topic = `topic-${randomBytes(6).toString('hex')}`;
    await ensureTopics(admin, [{ topic, partitions: 1 }]);
    await admin.disconnect();
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: 'told' }] });
    await producer.disconnect();
    // A first group waits for its coordinator.
    const consumer = createClient({
      brokers: config.brokers,
      security: config.security,
      clientId: 'spec',
      log,
    }).consumer({ groupId: topic });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const value = await new Promise<string>((resolve, reject) => {
      consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) }).catch(reject);
    });
    await consumer.disconnect();
    return value;
  }

  const sasl = (mechanism: string, password = sut.password): Record<string, string> => ({
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: USERNAME,
    KAFKA_SASL_PASSWORD: password,
  });
  const tls = (caFile = sut.caFile): Record<string, string> => ({ KAFKA_TLS: 'true', KAFKA_TLS_CA: caFile });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('accepts %s over TLS', async (mechanism) => {
    expect(await roundTrip({ KAFKA_BROKERS: sut.saslBroker, ...tls(), ...sasl(mechanism) })).toBe('told');
  });

  it('accepts SASL without TLS on loopback', async () => {
    expect(await roundTrip({ KAFKA_BROKERS: sut.plaintextBroker, ...sasl('scram-sha-512') })).toBe('told');
  });

  it('accepts a certificate if it asks for one', async () => {
    const own = { KAFKA_TLS_CERT: sut.certFile, KAFKA_TLS_KEY: sut.keyFile };
    expect(await roundTrip({ KAFKA_BROKERS: sut.mutualTlsBroker, ...tls(), ...own })).toBe('told');
    await expect(roundTrip({ KAFKA_BROKERS: sut.mutualTlsBroker, ...tls() })).rejects.toThrow();
  });

  it.each(['plain', 'scram-sha-256'])('refuses a wrong password (%s)', async (mechanism) => {
    await expect(
      roundTrip({ KAFKA_BROKERS: sut.saslBroker, ...tls(), ...sasl(mechanism, 'hunter2-wrong') }),
    ).rejects.toThrow(/authentication|Authentication/);
  });

  it('is not trusted if another or an unknown authority signed its certificate', async () => {
    await expect(
      roundTrip({ KAFKA_BROKERS: sut.saslBroker, ...tls(sut.otherCaFile), ...sasl('plain') }),
    ).rejects.toThrow(/certificate|self-signed|self signed/);
    await expect(roundTrip({ KAFKA_BROKERS: sut.saslBroker, KAFKA_TLS: 'true', ...sasl('plain') })).rejects.toThrow(
      /certificate|self-signed|self signed/,
    );
  });

  it('cannot be reached in plaintext', async () => {
    await expect(roundTrip({ KAFKA_BROKERS: sut.saslBroker })).rejects.toThrow();
  });

  it('is not used if a file cannot be read, and the error names the file', async () => {
    await expect(roundTrip({ KAFKA_BROKERS: sut.saslBroker, ...tls('/nowhere/ca.pem') })).rejects.toMatchObject({
      code: 'config-invalid',
      detail: expect.stringContaining('KAFKA_TLS_CA'),
    });
  });

  it('never has its password in the log, however much is logged', () => {
    expect(logged.length).toBeGreaterThan(10);
    expect(logged.join('')).not.toMatch(new RegExp(`${sut.password}|hunter2`));
    expect(logged.join('')).not.toContain(Buffer.from(`\0${USERNAME}\0${sut.password}`).toString('base64'));
  });
});
