import { readFlag, readOneOf, splitList, type Environment, type Refuse } from './environment.js';
import { isLoopback } from './loopback.js';
import { Secret } from './secret.js';

export type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';
const SASL_MECHANISMS: readonly SaslMechanism[] = ['plain', 'scram-sha-256', 'scram-sha-512'];

export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly security: KafkaSecurity;
}

/** How Rescind connects to the brokers. Plaintext if neither member is set. */
export interface KafkaSecurity {
  /** Paths of PEM files. Without `caFile`, the authorities that Node trusts. With a certificate, the client presents it (mutual TLS). */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  readonly sasl?: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: Secret };
}

export const KAFKA_DOCUMENTATION: Readonly<Record<string, string>> = {
  KAFKA_BROKERS: 'comma-separated host:port of Apache Kafka, or none for HTTP intake alone (default: the local one)',
  KAFKA_TLS: 'true to speak TLS to the brokers (default false)',
  KAFKA_TLS_CA:
    'path of the PEM certificates that the brokers are checked against (default: the authorities that Node trusts)',
  KAFKA_TLS_CERT: 'path of the PEM certificate chain that Rescind shows the brokers',
  KAFKA_TLS_KEY: 'path of its PEM private key',
  KAFKA_SASL_MECHANISM: SASL_MECHANISMS.join(', '),
  KAFKA_SASL_USERNAME: 'name that Rescind has at the brokers',
  KAFKA_SASL_PASSWORD: 'its password',
  KAFKA_SASL_WITHOUT_TLS: 'true to send SASL in plaintext to brokers that are not on loopback (default false)',
};

export function readKafka(env: Environment, refuse: Refuse): KafkaConfig | 'embedded' | 'none' {
  const value = env['KAFKA_BROKERS'];
  if (value === undefined || value === 'none') {
    for (const variable of Object.keys(KAFKA_DOCUMENTATION)) {
      if (variable !== 'KAFKA_BROKERS' && env[variable] !== undefined)
        refuse(variable, 'is set, though KAFKA_BROKERS names no broker');
    }
    return value ?? 'embedded';
  }
  const brokers = splitList(value);
  if (brokers.length === 0 || !brokers.every(isAddress))
    refuse('KAFKA_BROKERS', 'must be host:port, comma-separated, or none');
  return Object.freeze({ brokers: Object.freeze(brokers), security: readSecurity(env, brokers, refuse) });
}

function isAddress(broker: string): boolean {
  const port = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(broker)?.[1];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

const hostOf = (broker: string): string => broker.slice(0, broker.lastIndexOf(':')).replace(/^\[|\]$/g, '');

function readSecurity(env: Environment, brokers: readonly string[], refuse: Refuse): KafkaSecurity {
  const tls = readTls(env, refuse);
  const sasl = readSasl(env, refuse);
  const plaintextAllowed = readFlag(env, 'KAFKA_SASL_WITHOUT_TLS', refuse);
  if (plaintextAllowed && (tls !== undefined || sasl === undefined))
    refuse('KAFKA_SASL_WITHOUT_TLS', 'is true, though nothing is sent so');
  if (
    sasl !== undefined &&
    tls === undefined &&
    !plaintextAllowed &&
    !brokers.every((broker) => isLoopback(hostOf(broker)))
  ) {
    refuse(
      'KAFKA_SASL_MECHANISM',
      'would show the password to the network: set KAFKA_TLS=true, or KAFKA_SASL_WITHOUT_TLS=true if it is protected otherwise',
    );
  }
  return Object.freeze({ ...(tls === undefined ? {} : { tls }), ...(sasl === undefined ? {} : { sasl }) });
}

function readTls(env: Environment, refuse: Refuse): KafkaSecurity['tls'] {
  const [caFile, certFile, keyFile] = [env['KAFKA_TLS_CA'], env['KAFKA_TLS_CERT'], env['KAFKA_TLS_KEY']];
  const files = { KAFKA_TLS_CA: caFile, KAFKA_TLS_CERT: certFile, KAFKA_TLS_KEY: keyFile };
  if (!readFlag(env, 'KAFKA_TLS', refuse)) {
    for (const [variable, path] of Object.entries(files))
      if (path !== undefined) refuse(variable, 'is set, though KAFKA_TLS is not true');
    return undefined;
  }
  if (certFile !== undefined && keyFile === undefined)
    refuse('KAFKA_TLS_KEY', 'is missing, though KAFKA_TLS_CERT is set');
  if (keyFile !== undefined && certFile === undefined)
    refuse('KAFKA_TLS_CERT', 'is missing, though KAFKA_TLS_KEY is set');
  return Object.freeze({ caFile, certFile, keyFile });
}

function readSasl(env: Environment, refuse: Refuse): KafkaSecurity['sasl'] {
  const variables = ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'];
  const missing = variables.filter((variable) => env[variable] === undefined);
  if (missing.length === variables.length) return undefined;
  for (const variable of missing) refuse(variable, 'is missing, though another KAFKA_SASL variable is set');
  const mechanism = readOneOf(env, 'KAFKA_SASL_MECHANISM', SASL_MECHANISMS, 'scram-sha-512', refuse);
  const password = new Secret(env['KAFKA_SASL_PASSWORD'] ?? '');
  return Object.freeze({ mechanism, username: env['KAFKA_SASL_USERNAME'] ?? '', password });
}
