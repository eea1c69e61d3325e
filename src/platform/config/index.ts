export {
  ConfigError,
  DEFAULT_CONFIRM_SHARE,
  DEFAULT_LEASE_SECONDS,
  DEFAULT_TOPIC_PREFIX,
  ROLES,
  VARIABLE_DOCUMENTATION,
  readConfig,
} from './config.js';
export { reportConfig, type ConfigReport } from './config-report.js';
export type { Config, ConfigProblem, ListenConfig, LogLevel, Role } from './config.js';
export {
  DEFAULT_FRESH_USERS,
  PEOPLE_ROLES,
  type PeopleConfig,
  type PeopleRole,
  type ProviderConfig,
} from './people-config.js';
export type { KafkaConfig, KafkaSecurity, SaslMechanism } from './kafka-config.js';
export { isLoopback } from './loopback.js';
export { readAuthorities } from './pem-file.js';
export { writePrivateFile } from './private-file.js';
export { Secret } from './secret.js';
export type { TracingConfig } from './tracing-config.js';
export { readPem } from './pem-file.js';
export { parseHeaders } from './tracing-config.js';
