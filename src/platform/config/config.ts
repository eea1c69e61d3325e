import { join } from 'node:path';
import { RescindError } from '../../contracts/index.js';
import { CHANNELS_DOCUMENTATION, readChannels, type ChannelsConfig } from './channels-config.js';
import {
  readFlag,
  readInteger,
  readOneOf,
  readSecretFiles,
  secretFileVariable,
  splitList,
  type Environment,
  type Refuse,
} from './environment.js';
import { KAFKA_DOCUMENTATION, readKafka, type KafkaConfig } from './kafka-config.js';
import { isLoopback } from './loopback.js';
import { PEOPLE_DOCUMENTATION, readPeople, type PeopleConfig } from './people-config.js';
import { Secret } from './secret.js';
import { readTracing, TRACING_DOCUMENTATION, type TracingConfig } from './tracing-config.js';

export type Role = 'ingest' | 'serve' | 'feed' | 'log' | 'archive';
export const ROLES: readonly Role[] = ['ingest', 'serve', 'feed', 'log', 'archive'];

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export const DEFAULT_HOME = '.rescind';
/** Name of the archive's directory under the home directory. */
const DEFAULT_ARCHIVE = 'archive';
/** Name of the directory of the ledgers' keys and checkpoints under the home directory. */
const DEFAULT_LEDGER = 'ledger';
/** A hundred years. */
const MAX_HOT_DAYS = 36_500;
const MAX_LEARN_DAYS = 30;
export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 7423;
export const DEFAULT_LOG_ORIGIN = 'rescind.local';
export const DEFAULT_TOPIC_PREFIX = 'rescind';
/** Connections to PostgreSQL that one process uses for decisions. The listener, the appender and questions have their own. */
export const DEFAULT_DATABASE_POOL_MAX = 10;
/** Questions that PostgreSQL answers at the same time for one process. Each running question occupies a core of the database. */
export const DEFAULT_QUESTIONS_AT_ONCE = 4;
/** Processes that share the port; each is a node. A number beyond the maximum is taken for a mistake. */
export const DEFAULT_PROCESSES = 1;
const MAX_PROCESSES = 64;
/** `L` of the lease protocol: the time that a crashed node delays the first revocation after its crash, once. */
export const DEFAULT_LEASE_SECONDS = 4;
/** Percent of a tenant's users or live tokens that a rule may stop without a confirmation. */
export const DEFAULT_CONFIRM_SHARE = 10;

export interface Config {
  /** Directory of the embedded services, the admin key and the demo's file. */
  readonly home: string;
  readonly listen: ListenConfig;
  /** Second listener for `/health/…` and `/metrics`; `/metrics` is then answered there alone. Undefined: {@link listen} answers both. */
  readonly management: { readonly host: string; readonly port: number } | undefined;
  readonly roles: ReadonlySet<Role>;
  readonly processes: number;
  readonly database: { readonly url: Secret } | 'embedded';
  readonly databasePoolMax: number;
  readonly questionsAtOnce: number;
  /** `manual`: a start refuses a database that `rescind migrate` has not brought up to date. */
  readonly migrations: 'auto' | 'manual';
  /** `none`: events arrive over HTTP alone. */
  readonly kafka: KafkaConfig | 'embedded' | 'none';
  /** First part of the names of the topics that Rescind publishes its control log and revocations to. */
  readonly topicPrefix: string;
  /** Whether a node compares its database with the published control topic before it joins. */
  readonly controlFence: 'on' | 'off';
  /** Whether ledgers are published to Kafka as OCSF events. */
  readonly ocsfTopics: 'on' | 'off';
  /** Whether, and how, the news of findings are published to Kafka. */
  readonly findingsTopics: 'off' | 'json' | 'ocsf';
  /** The key that seals the control topic, base64url of 32 bytes. Undefined: the key that the first start made. */
  readonly controlTopicKey: Secret | undefined;
  /** How long a node may stay silent before it is fenced, in milliseconds. */
  readonly leaseMs: number;
  /** Percent of a tenant's users or live tokens that a rule may stop without a confirmation. 100: no rule needs a confirmation. */
  readonly confirmShare: number;
  /** First part of every ledger's origin. Configured; never taken from a Host header. */
  readonly logOrigin: string;
  readonly logLevel: LogLevel;
  /** Directory of the archive of uses. */
  readonly archiveDir: string;
  /** Directory of the keys that sign the ledgers, and of their newest checkpoints. */
  readonly ledgerDir: string;
  /** Path of the policy file that names the witnesses of the ledgers. */
  readonly witnessesFile: string | undefined;
  /** Ids of tenants whose ledgers anyone may read. */
  readonly publicLedgers: ReadonlySet<string>;
  /** Whole days that archived uses stay in PostgreSQL. Undefined: they stay for ever. */
  readonly hotDays: number | undefined;
  /** Days after which detections know what is usual in a new ledger; undefined: their default. */
  readonly findingsLearnDays: number | undefined;
  readonly tracing: TracingConfig | undefined;
  /** Hosts that a source's JWKS URI may name although their addresses are not public. */
  readonly jwksAllowedHosts: readonly string[];
  /** Path of PEM certificates of further authorities for JWKS servers, beside the authorities that Node trusts. */
  readonly jwksCaFile: string | undefined;
  readonly channels: ChannelsConfig;
  readonly people: PeopleConfig;
}

export interface ListenConfig {
  readonly host: string;
  readonly port: number;
  /** Paths of PEM files. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** One proxy in front of Rescind terminates TLS and sets `X-Forwarded-For`. */
  readonly trustedProxy: boolean;
}

export interface ConfigProblem {
  readonly variable: string;
  readonly problem: string;
}

/** Names every variable that was refused. Keeps no value, because a value may be a password. */
export class ConfigError extends RescindError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super('config-invalid', {
      detail: `The configuration is refused:\n${problems.map(({ variable, problem }) => `  ${variable} ${problem}`).join('\n')}`,
    });
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Reads the whole environment. Returns a frozen, consistent configuration or throws a {@link ConfigError}. */
export function readConfig(given: Environment): Config {
  const problems: ConfigProblem[] = [];
  const refuse: Refuse = (variable, problem) => problems.push({ variable, problem });
  for (const variable of VARIABLES) {
    if (given[variable] !== undefined && given[variable].trim() === '') refuse(variable, 'is set but empty');
  }
  const env = readSecretFiles(given, SECRET_VARIABLES, refuse);
  const config: Config = {
    home: env['RESCIND_HOME'] ?? DEFAULT_HOME,
    archiveDir: env['ARCHIVE_DIR'] ?? join(env['RESCIND_HOME'] ?? DEFAULT_HOME, DEFAULT_ARCHIVE),
    ledgerDir: env['LEDGER_DIR'] ?? join(env['RESCIND_HOME'] ?? DEFAULT_HOME, DEFAULT_LEDGER),
    witnessesFile: env['WITNESSES'],
    publicLedgers: readTenantIds(env, 'PUBLIC_LEDGERS', refuse),
    hotDays:
      env['HOT_DAYS'] === undefined
        ? undefined
        : readInteger(env, 'HOT_DAYS', { min: 1, max: MAX_HOT_DAYS, default: MAX_HOT_DAYS }, refuse),
    findingsLearnDays:
      env['FINDINGS_LEARN_DAYS'] === undefined
        ? undefined
        : readInteger(env, 'FINDINGS_LEARN_DAYS', { min: 0, max: MAX_LEARN_DAYS, default: MAX_LEARN_DAYS }, refuse),
    listen: readListen(env, refuse),
    management: readManagement(env, refuse),
    roles: readRoles(env, refuse),
    processes: readInteger(env, 'PROCESSES', { min: 1, max: MAX_PROCESSES, default: DEFAULT_PROCESSES }, refuse),
    database: readDatabase(env, refuse),
    databasePoolMax: readInteger(
      env,
      'DATABASE_POOL_MAX',
      { min: 1, max: 200, default: DEFAULT_DATABASE_POOL_MAX },
      refuse,
    ),
    questionsAtOnce: readInteger(
      env,
      'QUESTIONS_AT_ONCE',
      { min: 1, max: 100, default: DEFAULT_QUESTIONS_AT_ONCE },
      refuse,
    ),
    migrations: readOneOf(env, 'MIGRATIONS', ['auto', 'manual'], 'auto', refuse),
    kafka: readKafka(env, refuse),
    topicPrefix: readTopicPrefix(env, refuse),
    ocsfTopics: readOneOf(env, 'OCSF_TOPICS', ['on', 'off'], 'off', refuse),
    findingsTopics: readOneOf(env, 'FINDINGS_TOPICS', ['off', 'json', 'ocsf'], 'off', refuse),
    controlFence: readOneOf(env, 'CONTROL_FENCE', ['on', 'off'], 'on', refuse),
    controlTopicKey: readTopicKey(env, refuse),
    leaseMs: readInteger(env, 'LEASE_SECONDS', { min: 2, max: 30, default: DEFAULT_LEASE_SECONDS }, refuse) * 1000,
    confirmShare: readInteger(env, 'CONFIRM_SHARE', { min: 1, max: 100, default: DEFAULT_CONFIRM_SHARE }, refuse),
    logOrigin: readLogOrigin(env, refuse),
    logLevel: readOneOf(env, 'LOG_LEVEL', LOG_LEVELS, 'info', refuse),
    tracing: readTracing(env, refuse),
    jwksAllowedHosts: readHosts(env, 'JWKS_ALLOWED_HOSTS', refuse),
    jwksCaFile: env['JWKS_TLS_CA'],
    channels: readChannels(env, refuse),
    people: readPeople(env, refuse),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

/** Variables that hold a secret. `<NAME>_FILE` may name a file that holds the secret instead. */
export const SECRET_VARIABLES: readonly string[] = [
  'CONTROL_TOPIC_KEY',
  'DATABASE_URL',
  'KAFKA_SASL_PASSWORD',
  'OIDC_CLIENT_SECRET',
  'OTEL_EXPORTER_OTLP_HEADERS',
];

/** Every variable that {@link readConfig} reads, with the sentence that the documentation prints. */
export const VARIABLE_DOCUMENTATION: Readonly<Record<string, string>> = {
  RESCIND_HOME: `directory of the embedded services and the admin key (default ${DEFAULT_HOME})`,
  HOST: `address to listen on (default ${DEFAULT_HOST}); any but loopback needs TLS_CERT and TLS_KEY, or TRUSTED_PROXY=true`,
  PORT: `port to listen on, 0 for any free one (default ${DEFAULT_PORT})`,
  MANAGEMENT_LISTEN:
    'host:port of a second listener, in plaintext, for /health and /metrics; /metrics is then answered there alone (default: none)',
  TLS_CERT: 'path of the PEM certificate chain',
  TLS_KEY: 'path of the PEM private key',
  TRUSTED_PROXY: 'true when one proxy in front of Rescind ends TLS (default false)',
  ROLES: 'comma-separated: ingest, serve, feed, log, archive, or all (default all)',
  PROCESSES: `processes that share the port, each a node of its own (default ${DEFAULT_PROCESSES}); about one a core`,
  DATABASE_URL: 'postgres:// URL of PostgreSQL 17 or newer (default: the embedded one)',
  DATABASE_WITHOUT_TLS: 'true to reach a DATABASE_URL that is not on loopback without TLS (default false)',
  DATABASE_POOL_MAX: `connections for orders and for tokens that are not in memory (default ${DEFAULT_DATABASE_POOL_MAX})`,
  QUESTIONS_AT_ONCE: `questions of readers that the database answers at the same time (default ${DEFAULT_QUESTIONS_AT_ONCE}); each may take two connections`,
  MIGRATIONS: 'manual to refuse a start until `rescind migrate` has run (default auto: a start migrates the database)',
  ...KAFKA_DOCUMENTATION,
  TOPIC_PREFIX: `first part of the topics that Rescind publishes to; two deployments on one Kafka need two (default ${DEFAULT_TOPIC_PREFIX})`,
  OCSF_TOPICS:
    'on to publish each ledger as OCSF events for a SIEM, to <TOPIC_PREFIX>.ocsf.<tenant>, from its beginning (default off)',
  FINDINGS_TOPICS:
    'json or ocsf to publish what happens to findings, as JSON or as OCSF Detection Findings, to <TOPIC_PREFIX>.findings.<tenant> (default off)',
  CONTROL_FENCE:
    'off to answer without comparing the database with the control topic and the signed checkpoints: an old backup would go unnoticed (default on)',
  CONTROL_TOPIC_KEY:
    'key that seals the control topic, base64url of 32 bytes (default: made at the first start, a copy in <RESCIND_HOME>/control-topic-key)',
  LEASE_SECONDS: `how long a node may stay silent before it is fenced, 2 to 30 (default ${DEFAULT_LEASE_SECONDS})`,
  CONFIRM_SHARE: `percent of users or live tokens beyond which an order needs \`confirm\`, 1 to 99, or 100 for never (default ${DEFAULT_CONFIRM_SHARE}); fewer than 20 users and 100 tokens are never asked about`,
  ARCHIVE_DIR: `directory of the archive of uses, one for a deployment (default <RESCIND_HOME>/${DEFAULT_ARCHIVE})`,
  LEDGER_DIR: `directory of the keys that sign the ledgers and of their newest checkpoints, one for a deployment, on another disk than the database's (default <RESCIND_HOME>/${DEFAULT_LEDGER})`,
  WITNESSES:
    'path of a file that names witnesses, a line each: `witness <name> <verifier key> <URL>` (C2SP tlog-policy); each is asked every ten seconds to cosign the ledgers (default: none)',
  PUBLIC_LEDGERS:
    'comma-separated ids of tenants whose ledgers anyone may read; the others are read by callers with the role audit (default: none)',
  HOT_DAYS:
    'whole days, 1 to 36500, after which uses leave PostgreSQL once the archive has them (default: they stay); every process that answers questions then needs ARCHIVE_DIR',
  FINDINGS_LEARN_DAYS:
    'days, 0 to 30, after which detections that compare with the past look at a new ledger (default 3); with 0 whatever is large or new at once is found',
  LOG_LEVEL: `${LOG_LEVELS.join(', ')} (default info)`,
  LOG_ORIGIN: `first part of the ledgers' origin, such as log.example.com (default ${DEFAULT_LOG_ORIGIN})`,
  JWKS_ALLOWED_HOSTS:
    'comma-separated hosts that a JWKS URI may name although they are not public addresses; a loopback host among them may serve it by http',
  JWKS_TLS_CA:
    'path of the PEM certificates of authorities that servers of JWKS URIs may have, beside those that Node trusts',
  ...CHANNELS_DOCUMENTATION,
  ...PEOPLE_DOCUMENTATION,
  ...TRACING_DOCUMENTATION,
  ...Object.fromEntries(
    SECRET_VARIABLES.map((variable) => [
      secretFileVariable(variable),
      `path of a file that holds ${variable}, in place of the variable`,
    ]),
  ),
};
const VARIABLES = Object.keys(VARIABLE_DOCUMENTATION);

function readListen(env: Environment, refuse: Refuse): ListenConfig {
  const host = env['HOST'] ?? DEFAULT_HOST;
  const port = readInteger(env, 'PORT', { min: 0, max: 65_535, default: DEFAULT_PORT }, refuse);
  const certFile = env['TLS_CERT'];
  const keyFile = env['TLS_KEY'];
  const trustedProxy = readFlag(env, 'TRUSTED_PROXY', refuse);
  if (certFile !== undefined && keyFile === undefined) refuse('TLS_KEY', 'is missing, though TLS_CERT is set');
  if (keyFile !== undefined && certFile === undefined) refuse('TLS_CERT', 'is missing, though TLS_KEY is set');
  const tls = certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined;
  if (!isLoopback(host) && tls === undefined && !trustedProxy) {
    refuse(
      'HOST',
      'is not a loopback address: set TLS_CERT and TLS_KEY, or TRUSTED_PROXY=true behind a proxy that ends TLS',
    );
  }
  return Object.freeze({ host, port, tls, trustedProxy });
}

function readManagement(env: Environment, refuse: Refuse): Config['management'] {
  const value = env['MANAGEMENT_LISTEN'];
  if (value === undefined) return undefined;
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(value) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    refuse('MANAGEMENT_LISTEN', 'must be host:port, such as 127.0.0.1:9464 or [::1]:9464');
    return undefined;
  }
  return Object.freeze({ host: (bracketed ?? plain)!, port: Number(port) });
}

function readRoles(env: Environment, refuse: Refuse): ReadonlySet<Role> {
  const names = splitList(env['ROLES'] ?? 'all');
  if (names.length === 1 && names[0] === 'all') return new Set(ROLES);
  const roles = new Set(names.filter((name): name is Role => (ROLES as readonly string[]).includes(name)));
  if (roles.size !== names.length) refuse('ROLES', `must be all, or some of ${ROLES.join(', ')}, each once`);
  return roles;
}

function readDatabase(env: Environment, refuse: Refuse): Config['database'] {
  const value = env['DATABASE_URL'];
  const plaintextAllowed = readFlag(env, 'DATABASE_WITHOUT_TLS', refuse);
  if (value === undefined) {
    if (plaintextAllowed) refuse('DATABASE_WITHOUT_TLS', 'is true, though DATABASE_URL is not set');
    return 'embedded';
  }
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === '' || url.pathname.length < 2) {
    refuse('DATABASE_URL', 'must be a postgres:// URL with a host and a database');
  } else if (plaintextAllowed && speaksCheckedTls(url)) {
    refuse('DATABASE_WITHOUT_TLS', 'is true, though DATABASE_URL asks for TLS');
  } else if (!plaintextAllowed && !speaksCheckedTls(url) && !isLocalDatabase(url)) {
    refuse(
      'DATABASE_URL',
      'would send everything over the network without TLS: add ?sslmode=verify-full, with &sslrootcert=<path> for an authority of your own, or set DATABASE_WITHOUT_TLS=true if the network is protected otherwise',
    );
  }
  return Object.freeze({ url: new Secret(value) });
}

/** The driver prefers a `host` in the query to the host of the URL. A host that begins with a slash is the directory of a Unix socket. */
function isLocalDatabase(url: URL): boolean {
  const host = lastOf(url, 'host') ?? decodeURIComponent(url.hostname);
  return host.startsWith('/') || isLoopback(host.replace(/^\[|\]$/g, ''));
}

/** The driver checks the certificate in each of these modes. `uselibpqcompat` removes the check from `require` and `verify-ca`. */
function speaksCheckedTls(url: URL): boolean {
  const modes = lastOf(url, 'uselibpqcompat') === 'true' ? ['verify-full'] : ['require', 'verify-ca', 'verify-full'];
  return modes.includes(lastOf(url, 'sslmode') ?? '');
}

/** Returns the last value of a repeated parameter, which is the one that the driver uses. */
const lastOf = (url: URL, parameter: string): string | undefined => url.searchParams.getAll(parameter).at(-1);

function readTopicPrefix(env: Environment, refuse: Refuse): string {
  const value = env['TOPIC_PREFIX'] ?? DEFAULT_TOPIC_PREFIX;
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(value))
    refuse('TOPIC_PREFIX', 'must be letters, digits, dots, hyphens and underscores, at most 100');
  return value;
}

function readTopicKey(env: Environment, refuse: Refuse): Secret | undefined {
  const value = env['CONTROL_TOPIC_KEY'];
  if (value === undefined) return undefined;
  if (!/^[A-Za-z0-9_-]{43}$/.test(value))
    refuse('CONTROL_TOPIC_KEY', 'must be the base64url of 32 bytes, without padding');
  return new Secret(value);
}

function readLogOrigin(env: Environment, refuse: Refuse): string {
  const value = env['LOG_ORIGIN'] ?? DEFAULT_LOG_ORIGIN;
  // The origin is a line without spaces or plus signs (C2SP signed-note key names) and, by custom, without a scheme.
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?(\/[A-Za-z0-9._~-]+)*$/.test(value)) {
    refuse('LOG_ORIGIN', 'must be a host name, optionally with a path, without a scheme');
  }
  return value;
}

function readHosts(env: Environment, variable: string, refuse: Refuse): readonly string[] {
  const value = env[variable];
  if (value === undefined) return [];
  const hosts = splitList(value);
  if (!hosts.every((host) => /^[A-Za-z0-9.:-]+$/.test(host)))
    refuse(variable, 'must be host names or addresses, comma-separated');
  return Object.freeze(hosts);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function readTenantIds(env: Environment, variable: string, refuse: Refuse): ReadonlySet<string> {
  const value = env[variable];
  const ids = value === undefined ? [] : splitList(value);
  if (!ids.every((id) => UUID.test(id))) refuse(variable, 'names tenants by their ids, UUIDs in lower case');
  return new Set(ids);
}
